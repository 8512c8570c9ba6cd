// What operators do with dead letters, and what they ask about one order. Entities are looked at
// wherever they live; consumers and their dead letters on their own node.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "http/api/call.hpp"
#include "http/format/letter_names.hpp"

namespace skanu {

/// What the handlers know of the node. Outlives the front; any thread.
struct admin_view {
  /// Of the services that run here; else null. Their consumers are administered here.
  std::array<const store*, service_count> stores{};
  /// The name of each service's node; empty where nobody is said to run it.
  std::array<std::string, service_count> nodes;
  letter_names letters{std::string()};
  std::function<std::string()>
      breakers;  ///< As /actuator/circuitbreakers shows them; throws store_error.
};

namespace admin {
void dead_letters(const call& c, const admin_view& view);
void replay(const call& c, const admin_view& view);
void discard(const call& c, const admin_view& view);
void explain(const call& c, const admin_view& view);
}  // namespace admin

}  // namespace skanu
