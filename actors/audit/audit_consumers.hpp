// How far each consumer has come in the log that it follows, as its service's rows say.
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

/// One moment of every service; null for a service that is not there.
using service_cut = std::array<const snapshot*, service_count>;

inline const snapshot* snapshot_of(const service_cut& cut, service s) {
  return cut[static_cast<std::size_t>(s)];
}

/// Positions and dead letters. Reading them reports the lag, and what is wrong with the rows.
class consumer_progress {
 public:
  consumer_progress(const service_cut& cut, audit_report& report);

  /// True where the consumer has worked off the event at that offset.
  bool has_seen(const consumer& who, log_offset offset) const;
  /// True where an event for that entity was set aside, and so also every later one for it.
  bool set_aside(const consumer& who, entity_id target) const;
  /// True where the event at that offset was set aside, or discarded after that.
  bool set_aside_event(const consumer& who, log_offset offset) const;

  /// Demands an effect of the event at `cause` for `target`: reports that invariant as violated
  /// where the consumer has worked the event off and the effect is not there, or `id` as parked
  /// where the event was set aside or discarded.
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
