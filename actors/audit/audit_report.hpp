// The findings of an audit, and their JSON text.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

/// A broken invariant and its place. Invariant 0: every stored value equals the value written. `id`
/// is 0 where the finding concerns no single entity.
struct violation {
  int invariant = 0;
  service of = service::order;
  entity_id id = 0;
  std::string what;
};

/// An effect missing because its event was set aside as a dead letter.
struct parked_effect {
  std::string consumer;
  service of = service::order;
  entity_id id = 0;
  std::string what;
};

/// A log replaced under a consumer: the consumer's effects of the lost events have no cause in the
/// present log.
struct found_fork {
  std::string consumer, log;
  log_offset common = 0;  ///< The last event shared by the old log and the present log.
  log_offset known = 0;   ///< The last event worked off by the consumer.
  bool accepted = false;  ///< True once an operator accepted the fork.
};

struct service_figures {
  std::int64_t entities = 0;  ///< Listed entities.
  std::int64_t events = 0;
  std::int64_t tombstones = 0;
};

/// Gathers findings. Keeps the first `most_kept` of each invariant and of the parked effects, and
/// counts all.
class audit_report {
 public:
  static constexpr std::size_t most_kept = 50;

  void violated(int invariant, service of, entity_id id, std::string what);
  void parked(std::string consumer, service of, entity_id id, std::string what);

  bool sound() const { return violation_count_ == 0; }
  std::int64_t violation_count() const { return violation_count_; }
  const std::vector<violation>& violations() const { return violations_; }
  const std::vector<parked_effect>& parked_effects() const { return parked_; }

  /// The report of `skanu audit`: JSON over several lines. `deep` adds the number of values without
  /// a checksum.
  std::string to_json(bool deep = false) const;

  std::map<service, service_figures> services;  ///< Services in the cut.
  /// Events still to be worked off, by consumer.
  std::map<std::string, std::int64_t> lag;
  std::map<std::string, std::int64_t> dead_letters;  ///< By consumer.
  /// Letters discarded by an operator, by consumer.
  std::map<std::string, std::int64_t> discarded;
  std::vector<found_fork> forks;
  /// Values written by a program without checksums, by table; only tables with at least one.
  std::map<std::string, std::int64_t> without_checksum;
  std::int64_t pending = 0;  ///< Open payments with an undecided order.

 private:
  std::vector<violation> violations_;
  std::int64_t violation_count_ = 0;
  std::array<std::size_t, 7> kept_{};
  std::vector<parked_effect> parked_;
  std::int64_t parked_count_ = 0;
};

}  // namespace skanu
