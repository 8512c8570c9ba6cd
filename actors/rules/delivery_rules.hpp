// The rules of a delivery: pure functions, no actor.
#pragma once

#include "actors/rules/decision.hpp"
#include "messages/delivery.hpp"

namespace skanu {

struct delivery_rules {
  using state = delivery_state;
  using command = delivery_command;
  using event = delivery_event;
  using decision_context = no_context;
  static constexpr service of = service::delivery;

  /// Decides a command in a state. `id` is the delivery's own.
  static decision<event> decide(const state& s, const command& c, entity_id id,
                                const decision_context& = {});
  /// Changes the state by an event. Never fails for an event from decide().
  static void apply(state& s, const event& e);
  /// Stores the time of a step's event.
  static void note_time(state& s, const event& e, instant at);

  /// True for a visible delivery: prepared, not rejected.
  static bool listed(const state& s) { return s.status != delivery_status::none && !s.rejected; }
  static std::uint8_t status(const state& s) { return static_cast<std::uint8_t>(s.status); }
};

}  // namespace skanu
