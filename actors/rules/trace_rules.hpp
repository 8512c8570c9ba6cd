// The rules of the trace find an order's step from events in any order. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "actors/rules/consumers.hpp"
#include "messages/order_trace.hpp"

namespace skanu {

/// The steps by rank. A trace shows the highest step among the events, in any order of reading the
/// logs.
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

/// Returns a step's place in steps_by_rank.
constexpr std::ptrdiff_t rank_of(trace_status step) {
  return std::ranges::find(steps_by_rank, step) - steps_by_rank.begin();
}

/// Returns the step of a type of event; none for events of the history only.
trace_status step_of(std::string_view event_type);

/// Returns the order's id in a stored event of order, payment or delivery, without parsing the
/// whole event; 0 for an event without an id.
entity_id order_of(std::string_view event_body);

/// Takes a stored event into a trace. Throws decode_error.
void apply_event(order_trace& trace, entity_id id, std::string_view event_body);

/// Returns the visible step; none before the order's Ordered was read. The rank never falls.
inline trace_status shown_step(const order_trace& t) {
  return t.registered ? t.status : trace_status::none;
}

/// Returns the TraceChanged to store after a trace took `source` as event `version`; nullopt while
/// the visible step stays the same.
std::optional<std::string> change_of(const order_trace& now, trace_status step_before,
                                     version_number version, std::string_view source);

/// Returns the prefix of an order's history in the rows of ordertrace: a row per event, under the
/// trace's version after the event, in the view's order of reading.
std::string history_prefix(entity_id order);

/// Returns the view's consumer of a service's log. Throws decode_error for a log without the view.
const consumer& trace_consumer(service followed);

inline bool listed(const order_trace& t) { return t.registered; }

/// The trace in the words of the other services' rules.
struct trace_as_rules {
  using state = order_trace;
  static constexpr service of = service::ordertrace;
  static bool listed(const state& t) { return skanu::listed(t); }
  static std::uint8_t status(const state& t) { return static_cast<std::uint8_t>(t.status); }
};

}  // namespace skanu
