#include "cluster/program/signals.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include <time.h>

namespace skanu {

namespace {

using clock = std::chrono::steady_clock;

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

/// Returns nullopt at `until`.
std::optional<int> next_signal(clock::time_point until) {
  const auto set = awaited_signals();
  if (until == clock::time_point::max()) {
    int signal = 0;
    sigwait(&set, &signal);
    return signal;
  }
  const auto left = std::max(clock::duration::zero(), until - clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  const timespec patience{seconds.count(), static_cast<long>((left - seconds).count())};
  const int signal = sigtimedwait(&set, nullptr, &patience);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

}  // namespace

void block_signals() {
  const auto set = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void stay_until_stopped(const service_manager& manager, const stay& what) {
  const auto interval = manager.watchdog_interval();
  auto next_proof = interval ? clock::now() : clock::time_point::max();
  auto leave_at = clock::time_point::max();
  bool leaving = false;
  while (clock::now() < leave_at) {
    if (clock::now() >= next_proof) {
      if (what.is_alive()) manager.alive();
      next_proof = clock::now() + *interval;
    }
    const auto signal = next_signal(std::min(next_proof, leave_at));
    if (!signal) continue;
    if (*signal == SIGHUP) {
      what.on_hangup();
    } else if (std::exchange(leaving, true)) {
      return;
    } else {
      manager.stopping();
      what.begin_to_leave();
      leave_at = clock::now() + what.drain;
    }
  }
}

}  // namespace skanu
