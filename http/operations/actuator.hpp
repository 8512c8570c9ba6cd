// What operators see: health, the circuit breaker, metrics.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "actors/operations/breaker_display.hpp"
#include "actors/operations/metrics.hpp"
#include "http/server/request_metrics.hpp"
#include "persistence/journal.hpp"

namespace skanu {

/// A database of this node as its operators see it.
struct database_view {
  std::string name;
  const journal* writer = nullptr;
  const journal_metrics* metrics = nullptr;
  const journal_health* health = nullptr;
  const store* data = nullptr;
};

/// A service that runs on another node.
struct remote_service_view {
  service of = service::order;
  const std::atomic<bool>* up = nullptr;  ///< Null where nobody was said to run it.
  const std::atomic<std::int64_t>* clock_offset_ms = nullptr;  ///< Likewise.
};

/// A figure of the whole node.
struct node_gauge {
  std::string_view name, help;
  std::function<std::int64_t()> value;
};

/// Everything that is shown; all of it outlives the front, and may be read by any thread.
struct actuator_view {
  std::vector<service> services;  ///< That run here.
  std::vector<remote_service_view> elsewhere;
  std::vector<database_view> databases;
  /// False where the data directory was removed or replaced under this node.
  std::function<bool()> data_is_there = [] { return true; };
  const node_metrics* metrics = nullptr;
  const breaker_display* breaker = nullptr;  ///< Where orders are placed here.
  /// The breaker of the node where orders are placed; throws store_error. Empty where it is here,
  /// or shown by others.
  std::function<circuit_breaker::figures()> breaker_elsewhere;
  std::array<const store*, service_count> stores{};  ///< Of the services that run here; else null.
  std::vector<node_gauge> gauges;
  instant started;  ///< The process.
};

struct actuator_answer {
  std::string body;
  int status = 200;
};

/// {"status":"UP","components":{…}}. A database that refuses writes, or that has been at one for
/// over 3 s, shows as DOWN among the components. The node itself is DOWN (503) only where that is
/// true of every database, for another reason than room, and since less than 30 s ago (an older
/// refusal says nothing any more), or where its data directory is gone. A database that is closed
/// shows so, and the node is DOWN.
actuator_answer render_health(const actuator_view& view, std::chrono::steady_clock::time_point now);
/// The same, but UP as long as no database is closed: a process that answers is alive, and one that
/// cannot open its data again may be started anew.
actuator_answer render_liveness(const actuator_view& view,
                                std::chrono::steady_clock::time_point now);
std::string render_circuit_breakers(const actuator_view& view);
/// The Prometheus text format, version 0.0.4.
std::string render_metrics(const actuator_view& view, const request_metrics& requests);

}  // namespace skanu
