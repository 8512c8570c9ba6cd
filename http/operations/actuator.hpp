// The operators' endpoints: health, the circuit breaker, metrics.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/operations/breaker_display.hpp"
#include "actors/operations/metrics.hpp"
#include "http/server/request_metrics.hpp"
#include "persistence/journal.hpp"

namespace skanu {

/// A database of the node.
struct database_view {
  std::string name;
  const journal* writer = nullptr;
  const journal_metrics* metrics = nullptr;
  const journal_health* health = nullptr;
  const store* data = nullptr;
};

struct remote_status {
  bool up = false;
  std::int64_t clock_offset_ms = 0;  ///< Lead of the node's clock over the local clock.
};

/// A service that runs on another node.
struct remote_service_view {
  service of = service::order;
  /// Returns nullopt while no node of the service is known; any thread.
  std::function<std::optional<remote_status>()> status;

  bool up() const {
    const auto now = status();
    return now && now->up;
  }
};

/// A figure of the whole node.
struct node_gauge {
  std::string_view name, help;
  std::function<std::int64_t()> value;
};

/// The program that runs, and the protocol versions that it speaks with other nodes.
struct build_info {
  std::string_view version, commit;
  std::int64_t oldest_protocol = 0, newest_protocol = 0;
};

/// All data shown by the endpoints. The data outlives the front, and any thread may read it.
struct actuator_view {
  std::vector<service> services;  ///< Services that run here.
  std::vector<remote_service_view> elsewhere;
  std::vector<database_view> databases;
  /// Returns false where the data directory was removed or replaced under the running node.
  std::function<bool()> data_is_there = [] { return true; };
  /// Returns true once the node has announced its stop.
  std::function<bool()> is_leaving = [] { return false; };
  const node_metrics* metrics = nullptr;
  const breaker_display* breaker = nullptr;  ///< Set where orders are placed here.
  /// Returns the breaker's figures from the node that places orders; throws store_error. Empty
  /// where the breaker is here, or other nodes show the breaker.
  std::function<circuit_breaker::figures()> breaker_elsewhere;
  std::array<const store*, service_count> stores{};  ///< Stores of services here; else null.
  std::vector<node_gauge> gauges;
  instant started;  ///< Start of the process.
  build_info build;
};

struct actuator_answer {
  std::string body;
  int status = 200;
};

/// Renders {"status":"UP","components":{…}}. A database is DOWN among the components while it
/// refuses writes, while a write takes over 3 s, or once closed. The node is DOWN (503) in three
/// cases:
/// - Every database is DOWN at once. A refusal for lack of room does not count here, nor a refusal
///   over 30 s old, which says little about the present.
/// - The data directory is gone.
/// - A database is closed.
actuator_answer render_health(const actuator_view& view, std::chrono::steady_clock::time_point now);
/// Renders the same body for proxies: DOWN, too, with the component "node" once the node is
/// leaving.
actuator_answer render_readiness(const actuator_view& view,
                                 std::chrono::steady_clock::time_point now);
/// Renders the same body, with status DOWN only while a database is closed: a process that answers
/// is alive, but a restart may help a process that cannot open its data again.
actuator_answer render_liveness(const actuator_view& view,
                                std::chrono::steady_clock::time_point now);
/// Renders what Spring's /actuator/info does: {"build":{"version"},"git":{"commit":{"id"}}}, and
/// the protocol versions.
std::string render_info(const actuator_view& view);
std::string render_circuit_breakers(const actuator_view& view);
/// Renders the Prometheus text format, version 0.0.4.
std::string render_metrics(const actuator_view& view, const request_metrics& requests);

}  // namespace skanu
