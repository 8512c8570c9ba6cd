#include "cluster/protocol/wire.hpp"

namespace skanu {

bool is_change(const call_body& call) {
  return std::visit(
      []<class Call>(const Call&) {
        static_assert(Call::changes == carries_context<Call>);
        return Call::changes;
      },
      call);
}

void mark_repeated(call_body& call) {
  std::visit(
      []<class Call>(Call& c) {
        if constexpr (Call::changes) c.with.maybe_repeated = true;
      },
      call);
}

std::string encode(const call_body& call, std::uint32_t version) { return to_wire(call, version); }
std::string encode(const answer_body& answer, std::uint32_t version) {
  // Nodes of version 3 know the codes up to undecodable.
  if (const auto* e = std::get_if<error>(&answer);
      e != nullptr && version < 4 && e->code > errc::undecodable)
    return to_wire(answer_body(error{errc::store_failed, e->detail, e->wrong_fields}), version);
  return to_wire(answer, version);
}
call_body decode_call(std::string_view bytes, std::uint32_t version) {
  return from_wire<call_body>(bytes, version);
}
answer_body decode_answer(std::string_view bytes, std::uint32_t version) {
  return from_wire<answer_body>(bytes, version);
}

}  // namespace skanu
