#include "actors/consumers/log_forks.hpp"

#include <spdlog/spdlog.h>

#include "messages/event.hpp"
#include "persistence/directory/directory_identity.hpp"

namespace skanu {

void note_fork(const log_fork& fork) {
  spdlog::error(
      "event=log_forked consumer={} log={} known={} common={} end={} lost={} "
      "advice=\"the data of {} was restored, rebuilt or lost: see Restore in the README\"",
      fork.consumer, fork.log, fork.known, fork.common, fork.end, fork.known - fork.common,
      fork.log);
}

void note_older_events(const snapshot& own, const consumer& who, const event_batch::event& first) {
  const auto made = own.row(who.of, row_space::meta, directory_made_key);
  if (!made) return;
  const auto made_at = from_rfc3339(*made);
  const auto began_at = from_rfc3339(timestamp_of(first.body));
  if (!made_at || !began_at || *began_at >= *made_at) return;
  spdlog::warn(
      "event=directory_is_new service={} consumer={} made={} log={} log_began={} "
      "advice=\"if {} had another directory before, data known to that one alone is gone: see "
      "Restore in the README\"",
      name_of(who.of), who.name, *made, name_of(who.follows), to_rfc3339(*began_at),
      name_of(who.of));
}

}  // namespace skanu
