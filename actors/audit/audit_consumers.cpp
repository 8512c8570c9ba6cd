#include "actors/audit/audit_consumers.hpp"

#include "actors/audit/audit_states.hpp"
#include "actors/audit/audit_walk.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/log/log_position.hpp"

namespace skanu {

consumer_progress::consumer_progress(const service_cut& cut, audit_report& report)
    : report_(report) {
  for (const auto& who : consumers::all) read_position(cut, who);
  for (const auto s : all_services)
    if (const auto* from = snapshot_of(cut, s)) read_dead_letters(*from, s);
}

void consumer_progress::read_position(const service_cut& cut, const consumer& who) {
  const auto* own = snapshot_of(cut, who.of);
  if (own == nullptr) return;
  const auto position = audited_number(*own, who.of, position_key(who.name));
  const std::string name(who.name);
  if (!position || *position < 0)
    return report_.violated(2, who.of, 0, "the position of " + name + " cannot be read");
  positions_[who.name] = *position;
  read_forks(*own, who);
  const auto* followed = snapshot_of(cut, who.follows);
  if (followed == nullptr) return;
  const auto end = followed->log_end(who.follows);
  if (*position > end)
    return report_.violated(2, who.follows, 0,
                            "the log ends at offset " + std::to_string(end) + ", and " + name +
                                " has read up to " + std::to_string(*position));
  report_.lag[name] = end - *position;
  std::string why;
  const auto compare = [&] {
    const auto seen = own->row(who.of, row_space::meta, timelines_key(who.name));
    if (!seen) return;
    const auto common =
        common_end(lineage_from(*seen), *position, stored_lineage(*followed, who.follows), end);
    if (common < *position)
      report_.violated(2, who.follows, 0,
                       "its log is another one than " + name +
                           " has read: they are the same up to " + "offset " +
                           std::to_string(common) + ", and it has read up to " +
                           std::to_string(*position));
  };
  if (!decodes(compare, why))
    report_.violated(2, who.of, 0, "the timelines of " + name + " cannot be read: " + why);
}

void consumer_progress::read_forks(const snapshot& own, const consumer& who) {
  std::string why;
  const auto read = [&] {
    for (const auto& f : stored_forks(own, who.of, who.name)) {
      if (f.damaged) throw decode_error("its row is damaged");
      report_.forks.push_back({f.consumer, f.log, f.common, f.known, f.accepted});
    }
  };
  if (!decodes(read, why))
    report_.violated(2, who.of, 0,
                     "a fork of " + std::string(who.name) + " cannot be read: " + why);
}

void consumer_progress::read_dead_letters(const snapshot& from, service s) {
  walk_rows(from, s, row_space::dead_letters, {}, [&](const stored_row& row) {
    constexpr std::size_t numbers = 16;  // the target entity and the offset
    const auto slash = row.key.find('/');
    if (slash == row.key.npos || row.key.size() != slash + 1 + numbers)
      return report_.violated(2, s, 0, "a dead letter has a key that cannot be read");
    auto name = row.key.substr(0, slash);
    const auto key = std::string_view(row.key).substr(slash + 1);
    const auto prefix = std::string_view(row.key).substr(0, slash + 1);
    if (const auto bare = name.substr(0, name.find(':')); prefix == discarded_prefix(bare)) {
      name = bare;
      ++report_.discarded[name];
    } else {
      ++report_.dead_letters[name];
      targets_.emplace(name, number_of_key(key));
    }
    events_.emplace(name, number_of_key(key.substr(8)));
  });
}

bool consumer_progress::has_seen(const consumer& who, log_offset offset) const {
  const auto position = positions_.find(who.name);
  return position != positions_.end() && offset <= position->second;
}

bool consumer_progress::set_aside(const consumer& who, entity_id target) const {
  return targets_.contains({std::string(who.name), target});
}

bool consumer_progress::set_aside_event(const consumer& who, log_offset offset) const {
  return events_.contains({std::string(who.name), offset});
}

void consumer_progress::demand(const consumer& who, log_offset cause, entity_id target,
                               bool is_there, int invariant, service of, entity_id id,
                               std::string_view what) const {
  if (is_there || !has_seen(who, cause)) return;
  if (set_aside(who, target) || set_aside_event(who, cause)) {
    report_.parked(std::string(who.name), of, id, std::string(what));
  } else {
    report_.violated(invariant, of, id, std::string(what));
  }
}

}  // namespace skanu
