// What a node counts of its own work. Counters only grow; every member may be read and written by
// any thread, and nothing is ordered by them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "actors/operations/histogram.hpp"
#include "messages/values.hpp"

namespace skanu {

using counter = std::atomic<std::int64_t>;

/// Per service.
struct service_metrics {
  counter commands = 0;
  counter waiting = 0;        ///< Gauge: commands in the mailboxes of entities.
  counter refusals = 0;       ///< Commands that an entity refused.
  counter live_entities = 0;  ///< Gauge.
  counter passivations = 0;
  counter entity_failures = 0;  ///< Entities that crashed, or whose commit failed.
  counter events = 0;           ///< Events that became durable since the start.
  counter dead_letters = 0;     ///< Events that its consumers set aside since the start.
  counter consumer_restarts = 0;
  /// Gauge: the last order id that another node knows and this one never reserved; 0: none.
  counter unreserved_ids_seen = 0;
};

/// Per database.
struct journal_metrics {
  counter commits = 0;
  counter failed_commits = 0;
  /// Microseconds to write and flush a transaction.
  histogram<12> flush_us{
      {100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 500'000, 2'500'000}};
  histogram<10> batch{{1, 2, 4, 8, 16, 32, 64, 128, 512, 2'048}};  ///< Commits in it.
};

/// How one database's writes go.
struct journal_health {
  using time_point = std::chrono::steady_clock::time_point;
  std::atomic<int> last_failure = -1;       ///< The errc of the last batch, -1 where it succeeded.
  std::atomic<time_point> failed_at{};      ///< When that was.
  std::atomic<time_point> writing_since{};  ///< Of the batch that is being written; else zero.
};

struct node_metrics {
  std::array<service_metrics, service_count> services;
  service_metrics& of(service s) { return services[static_cast<std::size_t>(s)]; }
  const service_metrics& of(service s) const { return services[static_cast<std::size_t>(s)]; }
};

}  // namespace skanu
