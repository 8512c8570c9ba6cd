// What a node counts of its own work. Counters only grow; every member may be read and written by any
// thread, and nothing is ordered by them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "messages/values.hpp"

namespace skanu {

using counter = std::atomic<std::int64_t>;

/// Per service.
struct service_metrics {
  counter commands = 0;
  counter refusals = 0;         ///< Commands that an entity refused.
  counter live_entities = 0;    ///< Gauge.
  counter passivations = 0;
  counter entity_failures = 0;  ///< Entities that crashed, or whose commit failed.
  counter events = 0;           ///< Events that became durable since the start.
  counter dead_letters = 0;      ///< Events that its consumers set aside since the start.
  counter consumer_restarts = 0;
};

/// Per database.
struct journal_metrics {
  counter flushes = 0;
  counter commits = 0;
  counter failed_commits = 0;
  counter busy_microseconds = 0;
};

struct node_metrics {
  std::array<service_metrics, service_count> services;
  service_metrics& of(service s) { return services[static_cast<std::size_t>(s)]; }
  const service_metrics& of(service s) const { return services[static_cast<std::size_t>(s)]; }
};

}  // namespace skanu
