// Counters and gauges describe the work of a node. Counters only grow. Any thread may read and
// write every member; the members order no other memory access.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "actors/operations/histogram.hpp"
#include "messages/values.hpp"

namespace skanu {

using counter = std::atomic<std::int64_t>;

/// Metrics of one service.
struct service_metrics {
  counter commands = 0;
  counter waiting = 0;        ///< Gauge: commands in the mailboxes of entities.
  counter refusals = 0;       ///< Commands refused by an entity.
  counter live_entities = 0;  ///< Gauge.
  counter passivations = 0;
  counter entity_failures = 0;  ///< Entities ended by an exception or a failed commit.
  counter events = 0;           ///< Events made durable since the start.
  counter dead_letters = 0;     ///< Events set aside by the service's consumers since the start.
  counter consumer_restarts = 0;
  /// Gauge: the last order id known to a node with newer data; 0: none.
  counter unreserved_ids_seen = 0;
};

/// Metrics of one database.
struct journal_metrics {
  counter commits = 0;
  counter failed_commits = 0;
  /// Microseconds to write and flush a transaction.
  histogram<12> flush_us{
      {100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 500'000, 2'500'000}};
  histogram<10> batch{{1, 2, 4, 8, 16, 32, 64, 128, 512, 2'048}};  ///< Commits per batch.
};

/// The health of one database's writes.
struct journal_health {
  using time_point = std::chrono::steady_clock::time_point;
  /// The errc of the database's refusal of the whole last batch, else -1.
  std::atomic<int> last_failure = -1;
  std::atomic<time_point> failed_at{};      ///< Time of the last failure.
  std::atomic<time_point> writing_since{};  ///< Start of the current write, else zero.
};

struct node_metrics {
  std::array<service_metrics, service_count> services;
  service_metrics& of(service s) { return services[static_cast<std::size_t>(s)]; }
  const service_metrics& of(service s) const { return services[static_cast<std::size_t>(s)]; }
};

}  // namespace skanu
