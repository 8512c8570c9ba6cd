#include "actors/consumers/log_forks.hpp"

#include <spdlog/spdlog.h>

namespace skanu {

log_fork note_fork(std::string_view consumer, service follows, const log_position& at,
                   const log_position& back, const event_batch& batch, instant now) {
  log_fork fork{
      std::string(consumer), std::string(name_of(follows)), at.next - 1, back.next - 1, batch.end,
      to_rfc3339(now)};
  spdlog::error(
      "event=log_forked consumer={} log={} known={} common={} end={} lost={} "
      "advice=\"the data of {} was restored, rebuilt or lost: see Restore in the README\"",
      fork.consumer, fork.log, fork.known, fork.common, fork.end, fork.known - fork.common,
      fork.log);
  return fork;
}

}  // namespace skanu
