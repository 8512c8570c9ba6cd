// What happens whenever something happened elsewhere: the saga's asynchronous steps, as one table.
#pragma once

#include <vector>

#include "actors/consumers/policy.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// The policies of each service, commanding its own entities.
std::vector<policy_definition> order_policies(const order_region_actor& orders);
std::vector<policy_definition> payment_policies(const payment_region_actor& payments);
std::vector<policy_definition> delivery_policies(const delivery_region_actor& deliveries);
std::vector<policy_definition> stamp_policies(const stamp_region_actor& stamps);

}  // namespace skanu
