#include "cluster/peers/reader.hpp"

#include <spdlog/spdlog.h>

#include "actors/supervision/failures.hpp"

namespace skanu {

namespace {

answer_body answer_to(const reading& now, const entity_call& c) {
  return now.listed_entity(c.of, c.id);
}

answer_body answer_to(const reading& now, const page_call& c) { return now.page(c.of, c.query); }

answer_body answer_to(const reading& now, const rows_page_call& c) {
  return now.rows_page(c.of, c.id, c.prefix, c.query);
}

/// True for a page never requested by a sound node: the read would take too long, or divide by
/// zero.
template <class Read>
bool out_of_range(const Read& c) {
  if constexpr (requires { c.query; }) {
    const auto& q = c.query;
    if (q.size < 1 || q.size > largest_page) return true;
    if (q.after) return *q.after < 0 || *q.after > max_safe_integer;
    return q.number < 0 || q.number > deepest_skip / static_cast<std::int64_t>(q.size);
  }
  return false;
}

answer_body answer_to(const peer_read& r) {
  if (std::visit([](const auto& c) { return out_of_range(c); }, r.what))
    return error{errc::undecodable, "The call asks for a page that there cannot be."};
  try {
    const auto now = r.from->read();
    return std::visit([&](const auto& c) { return answer_to(*now, c); }, r.what);
  } catch (const store_error& problem) {
    if (problem.code() == errc::damaged)
      spdlog::error("event=damaged reason=\"{}\"", problem.what());
    return error{problem.code(), problem.what()};
  } catch (const decode_error& problem) {
    spdlog::error("event=undecodable reason=\"{}\"", problem.what());
    return error{errc::undecodable, "What is stored of it cannot be read."};
  }
}

}  // namespace

reader_actor::behavior_type reader(reader_actor::pointer self) {
  contain_failures(*self);
  return {[=](read_atom, const peer_read& r) {
    // The peer's deadline is over.
    if (self->clock().now() >= r.until)
      return encode(answer_body(error{errc::overloaded, "Too many reads wait here."}), r.protocol);
    return encode(answer_to(r), r.protocol);
  }};
}

}  // namespace skanu
