// The rules of the trace: how far an order has come, from events in any order. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "actors/rules/consumers.hpp"
#include "messages/order_trace.hpp"

namespace skanu {

/// The steps in the order in which they rank. A trace shows the highest among its events, in
/// whatever order the logs are read.
inline constexpr std::array steps_by_rank = {
    trace_status::none,
    trace_status::ordered,
    trace_status::paid,
    trace_status::delivery_ready,
    trace_status::delivery_started,
    trace_status::delivered,
    trace_status::pay_cancelled,
    trace_status::delivery_cancelled,
    trace_status::order_cancelled,
};
static_assert(steps_by_rank.size() == static_cast<std::size_t>(last_of(trace_status{})) + 1);

/// The place of a step in that order.
constexpr std::ptrdiff_t rank_of(trace_status step) {
  return std::ranges::find(steps_by_rank, step) - steps_by_rank.begin();
}

/// The step that an event of this type stands for; none for events that are history only.
trace_status step_of(std::string_view event_type);

/// The id of the order that a stored event of order, payment or delivery is about, without parsing
/// it whole; 0 where it has none.
entity_id order_of(std::string_view event_body);

/// Takes one stored event into a trace. Throws decode_error.
void apply_event(order_trace& trace, entity_id id, std::string_view event_body);

/// The step that the trace shows; none as long as it is not shown. It only ever rises.
inline trace_status shown_step(const order_trace& t) {
  return t.registered ? t.status : trace_status::none;
}

/// The stored TraceChanged of a trace that took `source` as its event `version`; nothing where it
/// still shows the step that it showed before.
std::optional<std::string> change_of(const order_trace& now, trace_status step_before,
                                     version_number version, std::string_view source);

/// Where an order's history stands in the rows of ordertrace: a row per event, under the trace's
/// version that the event made, in the order in which the view saw them.
std::string history_prefix(entity_id order);

/// The view as a consumer of one service's log. Throws decode_error where the view does not follow
/// that log.
const consumer& trace_consumer(service followed);

/// Adds to a trace as stored what rows of a version before lack.
inline void complete(order_trace& stored, const order_trace& folded) {
  if (!stored.changed_at) stored.changed_at = folded.changed_at;
}

inline bool listed(const order_trace& t) { return t.registered; }

/// The trace in the words of the other services' rules.
struct trace_as_rules {
  using state = order_trace;
  static constexpr service of = service::ordertrace;
  static bool listed(const state& t) { return skanu::listed(t); }
  static void complete(state& stored, const state& folded) { skanu::complete(stored, folded); }
  static std::uint8_t status(const state& t) { return static_cast<std::uint8_t>(t.status); }
};

}  // namespace skanu
