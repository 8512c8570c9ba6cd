#include "cluster/protocol/wire.hpp"

namespace skanu {

// What each type is made of.

template <class A>
void wire_fields(A& a, order_details& v) {
  a(v.product_id, v.product_name, v.qty, v.cost, v.payment_type);
}
template <class A>
void wire_fields(A& a, place_order& v) {
  a(v.details, v.phone_number);
}
template <class A>
void wire_fields(A& a, register_order& v) {
  a(v.details);
}
template <class A>
void wire_fields(A&, reject_order&) {}
template <class A>
void wire_fields(A&, cancel_order&) {}
template <class A>
void wire_fields(A&, close_order&) {}

template <class A>
void wire_fields(A& a, open_payment& v) {
  a(v.details, v.phone_number);
}
template <class A>
void wire_fields(A& a, update_payment& v) {
  a(v.target, v.phone_number, v.payment_type, v.id, v.order_id, v.product_id, v.product_name, v.qty,
    v.cost);
}
template <class A>
void wire_fields(A& a, cancel_payment& v) {
  a(v.cause);
}
template <class A>
void wire_fields(A&, close_payment&) {}

template <class A>
void wire_fields(A& a, prepare_delivery& v) {
  a(v.product_id, v.product_name, v.qty);
}
template <class A>
void wire_fields(A& a, move_delivery& v) {
  a(v.target, v.destination);
}
template <class A>
void wire_fields(A&, cancel_delivery&) {}

template <class A>
void wire_fields(A& a, add_stamps& v) {
  a(v.qty);
}
template <class A>
void wire_fields(A& a, earn_stamps& v) {
  a(v.payment_id, v.qty);
}
template <class A>
void wire_fields(A& a, deduct_stamps& v) {
  a(v.payment_id);
}

template <class A>
void wire_fields(A& a, operation_id& v) {
  for (auto& byte : v.bytes) a(byte);
  a(v.from_client);
}
template <class A>
void wire_fields(A& a, version_condition& v) {
  a(v.any, v.versions);
}
template <class A>
void wire_fields(A& a, request_terms& v) {
  a(v.operation, v.fingerprint, v.maybe_repeated, v.condition, v.traceparent);
}

template <class A>
void wire_fields(A& a, place_call& v) {
  a(v.order, v.with);
}
template <class A, class Command>
void wire_fields(A& a, command_call<Command>& v) {
  a(v.id, v.command, v.with);
}
template <class A>
void wire_fields(A& a, log_query& v) {
  a(v.from, v.limit, v.types);
  if (a.version() >= 4) a(v.timeline);
}
template <class A>
void wire_fields(A& a, pull_call& v) {
  a(v.of, v.query);
}
template <class A>
void wire_fields(A& a, entity_call& v) {
  a(v.of, v.id);
}
template <class A>
void wire_fields(A& a, page_query& v) {
  a(v.status, v.after, v.number, v.size, v.descending);
}
template <class A>
void wire_fields(A& a, page_call& v) {
  a(v.of, v.query);
}
template <class A>
void wire_fields(A& a, rows_page_call& v) {
  a(v.of, v.id, v.prefix, v.query);
}
template <class A>
void wire_fields(A&, breaker_call&) {}

template <class A>
void wire_fields(A& a, field_error& v) {
  a(v.field, v.message);
}
/// A node of the version before knows the codes up to undecodable.
template <class A>
void wire_fields(A& a, error& v) {
  auto code = v.code;
  if (a.version() < 4 && code > errc::undecodable) code = errc::store_failed;
  a(code, v.detail, v.fields);
  if constexpr (std::same_as<A, wire_reader>) v.code = code;
}
template <class A>
void wire_fields(A& a, accepted& v) {
  a(v.what, v.id, v.version, v.document);
}
template <class A>
void wire_fields(A& a, event_batch::event& v) {
  a(v.offset, v.body);
}
template <class A>
void wire_fields(A& a, timeline& v) {
  a(v.from, v.id);
}
template <class A>
void wire_fields(A& a, event_batch& v) {
  a(v.events, v.next, v.more, v.end);
  if (a.version() >= 4) a(v.forked, v.timelines);
}
template <class A>
void wire_fields(A& a, stored_entity& v) {
  a(v.id, v.document);
}
template <class A>
void wire_fields(A& a, stored_page& v) {
  a(v.items, v.total, v.next_after, v.prev_after, v.last_after);
  if (a.version() >= 4) a(v.damaged);
}
template <class A>
void wire_fields(A& a, circuit_breaker::figures& v) {
  a(v.state, v.failure_rate, v.slow_call_rate, v.buffered_calls, v.failed_calls,
    v.not_permitted_calls);
}

bool is_change(const call_body& call) { return call.index() <= 4; }

void mark_repeated(call_body& call) {
  std::visit(
      [](auto& c) {
        if constexpr (requires { c.with; }) c.with.maybe_repeated = true;
      },
      call);
}

std::string encode(const call_body& call, std::uint32_t version) { return to_wire(call, version); }
std::string encode(const answer_body& answer, std::uint32_t version) {
  return to_wire(answer, version);
}
call_body decode_call(std::string_view bytes, std::uint32_t version) {
  return from_wire<call_body>(bytes, version);
}
answer_body decode_answer(std::string_view bytes, std::uint32_t version) {
  return from_wire<answer_body>(bytes, version);
}

}  // namespace skanu
