// The list of the entity types, by their rules.
#pragma once

#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "messages/entity_commands.hpp"

namespace skanu {

/// Calls use.operator()<Rules>() for the rules of each entity type.
template <class Use>
void for_each_entity_type(Use&& use) {
  use.template operator()<order_rules>();
  use.template operator()<payment_rules>();
  use.template operator()<delivery_rules>();
  use.template operator()<stamp_rules>();
}

static_assert(std::variant_size_v<any_command> == 4, "each command has its rules above");

}  // namespace skanu
