// The rules of the trace: how far an order has come, from events in any order. Pure.
#pragma once

#include <string>
#include <string_view>

#include "messages/order_trace.hpp"

namespace skanu {

/// The step that an event of this type stands for; none for events that are history only.
trace_status step_of(std::string_view event_type);

/// The id of the order that a stored event of order, payment or delivery is about, without parsing it
/// whole; 0 where it has none.
entity_id order_of(std::string_view event_body);

/// Takes one stored event into a trace. Throws decode_error.
void apply_event(order_trace& trace, entity_id id, std::string_view event_body);

/// Where an order's history stands in the rows of ordertrace: a row per event, under the trace's version
/// that the event made, in the order in which the view saw them.
std::string history_prefix(entity_id order);

/// The name of the view's position in the log of a service.
std::string_view trace_consumer(service followed);

inline bool listed(const order_trace& t) { return t.registered; }

}  // namespace skanu
