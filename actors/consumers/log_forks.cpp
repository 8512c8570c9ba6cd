#include "actors/consumers/log_forks.hpp"

#include <spdlog/spdlog.h>

namespace skanu {

void note_fork(const log_fork& fork) {
  spdlog::error(
      "event=log_forked consumer={} log={} known={} common={} end={} lost={} "
      "advice=\"the data of {} was restored, rebuilt or lost: see Restore in the README\"",
      fork.consumer, fork.log, fork.known, fork.common, fork.end, fork.known - fork.common,
      fork.log);
}

}  // namespace skanu
