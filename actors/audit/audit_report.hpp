// What an audit found, and how it is printed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

/// A broken invariant, and where. Number 0 is that every value is what was written. `id` is 0 where
/// it is no one entity's.
struct violation {
  int invariant = 0;
  service of = service::order;
  entity_id id = 0;
  std::string what;
};

/// What an event calls for and is not there, because the event was set aside as a dead letter.
struct parked_effect {
  std::string consumer;
  service of = service::order;
  entity_id id = 0;
  std::string what;
};

/// A log that was replaced under a consumer: what it did for the lost events has no cause any more.
struct found_fork {
  std::string consumer, log;
  log_offset common = 0;  ///< The last event that both the old log and the present one have.
  log_offset known = 0;   ///< The last one that the consumer had worked off.
  bool accepted = false;  ///< By an operator.
};

struct service_figures {
  std::int64_t entities = 0;  ///< Listed ones.
  std::int64_t events = 0;
  std::int64_t tombstones = 0;
};

/// Gathers findings. Of each invariant, and of what is parked, only the first are kept; all are
/// counted.
class audit_report {
 public:
  static constexpr std::size_t most_kept = 50;

  void violated(int invariant, service of, entity_id id, std::string what);
  void parked(std::string consumer, service of, entity_id id, std::string what);

  bool sound() const { return violation_count_ == 0; }
  std::int64_t violation_count() const { return violation_count_; }
  const std::vector<violation>& violations() const { return violations_; }
  const std::vector<parked_effect>& parked_effects() const { return parked_; }

  /// As `skanu audit` prints it: JSON over several lines. `deep` says which values have no
  /// checksum.
  std::string to_json(bool deep = false) const;

  std::map<service, service_figures> services;       ///< Those that were there.
  std::map<std::string, std::int64_t> lag;           ///< Events a consumer has still to work off.
  std::map<std::string, std::int64_t> dead_letters;  ///< By consumer.
  std::map<std::string, std::int64_t> discarded;     ///< Those that an operator discarded.
  std::vector<found_fork> forks;
  /// Values that a program without checksums wrote, by table; only where there are any.
  std::map<std::string, std::int64_t> without_checksum;
  std::int64_t pending = 0;  ///< Open payments whose order is not decided yet.

 private:
  std::vector<violation> violations_;
  std::int64_t violation_count_ = 0;
  std::array<std::size_t, 7> kept_{};
  std::vector<parked_effect> parked_;
  std::int64_t parked_count_ = 0;
};

}  // namespace skanu
