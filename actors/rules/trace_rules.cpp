#include "actors/rules/trace_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "actors/rules/consumers.hpp"
#include "messages/delivery.hpp"
#include "messages/event.hpp"
#include "messages/order.hpp"
#include "messages/payment.hpp"
#include "persistence/store.hpp"

namespace skanu {

trace_status step_of(std::string_view event_type) {
  constexpr std::array<std::pair<std::string_view, trace_status>, 8> steps = {{
      {ordered::event_type, trace_status::ordered},
      {paid::event_type, trace_status::paid},
      {delivery_ready::event_type, trace_status::delivery_ready},
      {delivery_started::event_type, trace_status::delivery_started},
      {delivered::event_type, trace_status::delivered},
      {pay_cancelled::event_type, trace_status::pay_cancelled},
      {delivery_cancelled::event_type, trace_status::delivery_cancelled},
      {order_cancelled::event_type, trace_status::order_cancelled},
  }};
  for (const auto& [type, step] : steps)
    if (type == event_type) return step;
  return trace_status::none;
}

entity_id order_of(std::string_view event_body) {
  // Only the header, without any user's text, stands before the id.
  constexpr std::string_view key = R"(,"id":)";
  const auto found = event_body.find(key);
  entity_id id = 0;
  if (found != event_body.npos) {
    const auto digits = event_body.substr(found + key.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), id);
  }
  return id;
}

void apply_event(order_trace& trace, entity_id id, std::string_view event_body) {
  const auto type = event_type_of(event_body);
  const auto at = from_rfc3339(timestamp_of(event_body));
  if (!at) throw decode_error("an event without a timestamp");
  if (type == ordered::event_type) {
    const auto e = from_json<ordered>(parse_stored_json(event_body));
    trace.product_id = e.details.product_id;
    trace.product_name = e.details.product_name;
    trace.qty = e.details.qty;
    trace.cost = e.details.cost;
    trace.registered = true;
    trace.times.ordered_at = at;
  }
  trace.id = trace.order_id = id;
  if (rank_of(step_of(type)) <= rank_of(trace.status)) return;
  trace.status = step_of(type);
  trace.times.changed_at = at;
}

std::optional<std::string> change_of(const order_trace& now, trace_status step_before,
                                     version_number version, std::string_view source) {
  if (shown_step(now) == step_before) return std::nullopt;
  return encode_event(trace_event(trace_changed{now}), version, timestamp_of(source));
}

std::string history_prefix(entity_id order) { return ordered_key(order); }

const consumer& trace_consumer(service followed) {
  for (const auto& c : consumers::all)
    if (c.of == service::ordertrace && c.follows == followed) return c;
  throw decode_error("the view does not follow " + std::string(name_of(followed)));
}

}  // namespace skanu
