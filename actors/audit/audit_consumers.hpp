// Positions and dead letters of the consumers, read from the rows of the consumers' services.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "actors/audit/audit_report.hpp"
#include "actors/rules/consumers.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// One moment of every service; null for an absent service.
using service_cut = std::array<const snapshot*, service_count>;

inline const snapshot* snapshot_of(const service_cut& cut, service s) {
  return cut[static_cast<std::size_t>(s)];
}

/// Positions and dead letters. The constructor reads the rows, and reports each consumer's lag and
/// every unreadable or inconsistent row.
class consumer_progress {
 public:
  consumer_progress(const service_cut& cut, audit_report& report);

  /// True where the consumer has worked off the event at `offset`.
  bool has_seen(const consumer& who, log_offset offset) const;
  /// True where the consumer has set aside an event for `target`, and so every later event for
  /// `target`.
  bool set_aside(const consumer& who, entity_id target) const;
  /// True where the consumer has set aside the event at `offset`, or an operator discarded the dead
  /// letter since.
  bool set_aside_event(const consumer& who, log_offset offset) const;

  /// Demands an effect of the event at `cause` for `target`. Where the consumer has worked off the
  /// event and the effect is missing, reports the invariant as violated; where the event is set
  /// aside or discarded, reports `id` as parked instead.
  void demand(const consumer& who, log_offset cause, entity_id target, bool is_there, int invariant,
              service of, entity_id id, std::string_view what) const;

 private:
  void read_position(const service_cut& cut, const consumer& who);
  void read_forks(const snapshot& own, const consumer& who);
  void read_dead_letters(const snapshot& from, service of);

  audit_report& report_;
  std::map<std::string_view, log_offset> positions_;
  std::set<std::pair<std::string, entity_id>> targets_;
  std::set<std::pair<std::string, log_offset>> events_;
};

}  // namespace skanu
