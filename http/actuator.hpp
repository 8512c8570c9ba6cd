// What operators see: health, the circuit breaker, metrics.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/metrics.hpp"
#include "actors/placement.hpp"
#include "http/request_metrics.hpp"
#include "persistence/journal.hpp"

namespace skanu {

/// A database of this node as its operators see it.
struct database_view {
  std::string name;
  const journal* writer = nullptr;
  const journal_metrics* metrics = nullptr;
  /// The code of the last write that failed, -1 once one succeeded again.
  const std::atomic<int>* last_failure = nullptr;
};

/// Everything that is shown; all of it outlives the front, and may be read by any thread.
struct actuator_view {
  std::vector<service> services;
  std::vector<database_view> databases;
  const node_metrics* metrics = nullptr;
  const breaker_display* breaker = nullptr;
  std::function<std::int64_t()> open_connections;
};

/// {"status":"UP","components":{…}}. A database that refuses writes shows as DOWN among the components,
/// while reads go on and the node stays UP.
std::string render_health(const actuator_view& view);
std::string render_circuit_breakers(const actuator_view& view);
/// The Prometheus text format, version 0.0.4.
std::string render_metrics(const actuator_view& view, const request_metrics& requests);

}  // namespace skanu
