// A list of rules names the entity types.
#pragma once

#include <concepts>
#include <variant>

#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "messages/entity_commands.hpp"

namespace skanu {

template <class... Rules>
struct rules_list {
  using commands = std::variant<typename Rules::command...>;

  /// Calls use.operator()<Rules>() for each entity type.
  template <class Use>
  static void for_each(Use&& use) {
    (use.template operator()<Rules>(), ...);
  }
};

using entity_types = rules_list<order_rules, payment_rules, delivery_rules, stamp_rules>;
static_assert(std::same_as<entity_types::commands, any_command>, "each command has its rules");

}  // namespace skanu
