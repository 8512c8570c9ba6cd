// A node's view of its journals: metrics, health, hints to the logs, log lines, and crash points.
#pragma once

#include <array>
#include <functional>

#include "actors/operations/faults.hpp"
#include "actors/operations/metrics.hpp"
#include "messages/interfaces.hpp"
#include "persistence/journal.hpp"

namespace skanu {

/// Observes one database's journal. The node sets the logs before the first commit.
class journal_watch final : public journal_observer {
 public:
  /// The journal asks `data_is_there` before each batch; false means that a write would be lost.
  journal_watch(
      std::string name, node_metrics& metrics, fault_plan& faults,
      std::function<bool()> data_is_there = [] { return true; })
      : name_(std::move(name)),
        data_is_there_(std::move(data_is_there)),
        node_(metrics),
        faults_(faults) {}

  void set_log(service s, event_log_actor log) {
    logs_[static_cast<std::size_t>(s)] = std::move(log);
  }
  void forget_logs() { logs_.fill({}); }

  bool may_write() override { return data_is_there_(); }
  void before_write(std::span<const pending_commit> batch) override;
  void after_write(std::span<const pending_commit> batch, std::span<const commit_result> results,
                   std::chrono::microseconds took) override;

  const journal_metrics& metrics() const { return metrics_; }
  const journal_health& health() const { return health_; }

 private:
  void note(const commit_result& failure);

  std::string name_;
  std::function<bool()> data_is_there_;
  node_metrics& node_;
  fault_plan& faults_;
  journal_metrics metrics_;
  journal_health health_;
  std::array<event_log_actor, service_count> logs_;
};

}  // namespace skanu
