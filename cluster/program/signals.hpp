// The life of `skanu serve` between ready and stop, as signals and the service manager direct it.
#pragma once

#include <chrono>
#include <functional>

#include "cluster/program/service_manager.hpp"

namespace skanu {

/// Blocks SIGTERM, SIGINT and SIGHUP for this thread and every later one, so that only
/// stay_until_stopped() receives them. Ignores SIGPIPE. Call before any thread starts.
void block_signals();

struct stay {
  std::function<bool()> is_alive;  ///< False keeps the watchdog from being told.
  std::function<void()> on_hangup;
  std::function<void()> begin_to_leave;  ///< Called at the first signal to stop.
  std::chrono::milliseconds drain{0};    ///< Time from begin_to_leave() to the return.
};

/// Returns after SIGTERM or SIGINT and the drain; a second such signal ends the drain.
void stay_until_stopped(const service_manager& manager, const stay& what);

}  // namespace skanu
