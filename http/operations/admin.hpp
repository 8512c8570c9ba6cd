// The operators' handlers for dead letters, and for questions about an order. Entities are read on
// any node; consumers and dead letters only on the consumers' own node.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "http/api/call.hpp"
#include "http/format/letter_names.hpp"

namespace skanu {

/// The handlers' view of the node. Outlives the front; any thread.
struct admin_view {
  /// Stores of the services that run here; null for the others. The consumers of the services here
  /// are administered here.
  std::array<const store*, service_count> stores{};
  /// The name of each service's node; empty where no node is configured.
  std::array<std::string, service_count> nodes;
  letter_names letters{std::string()};
  std::function<std::string()>
      breakers;  ///< The JSON of /actuator/circuitbreakers; throws store_error.
};

namespace admin {
void dead_letters(const call& c, const admin_view& view);
void replay(const call& c, const admin_view& view);
void discard(const call& c, const admin_view& view);
void explain(const call& c, const admin_view& view);
}  // namespace admin

}  // namespace skanu
