// The rules of an order: pure functions, no actor.
#pragma once

#include "actors/rules/decision.hpp"
#include "messages/order.hpp"

namespace skanu {

struct order_rules {
  using state = order_state;
  using command = order_command;
  using event = order_event;
  using decision_context = no_context;
  static constexpr service of = service::order;

  /// Decides a command in a state. `id` is the order's own.
  static decision<event> decide(const state& s, const command& c, entity_id id,
                                const decision_context& = {});
  /// Changes the state by an event. Never fails for an event from decide().
  static void apply(state& s, const event& e);
  /// Stores the time of a step's event.
  static void note_time(state& s, const event& e, instant at);

  /// True for a visible order: recorded, not rejected.
  static bool listed(const state& s) {
    return s.status == order_status::complete || s.status == order_status::cancelled;
  }
  static std::uint8_t status(const state& s) { return static_cast<std::uint8_t>(s.status); }
};

}  // namespace skanu
