// Watches for the removal of a node's data: a deleted folder still accepts writes, which end with
// the process.
#pragma once

#include <atomic>
#include <chrono>

#include <spdlog/spdlog.h>

#include "persistence/directory/data_directory.hpp"

namespace skanu {

/// `directory` must outlive the watch. Thread-safe.
class directory_watch {
 public:
  explicit directory_watch(const data_directory& directory) : directory_(directory) {}

  /// Checks the directory at most every 200 ms, and logs a change.
  bool is_there() {
    const auto now = std::chrono::steady_clock::now();
    auto next = next_look_.load();
    if (now < next || !next_look_.compare_exchange_strong(next, now + every)) return there_;
    const bool there = directory_.is_there();
    if (there_.exchange(there) != there) {
      if (there) {
        spdlog::warn("event=data_is_back");
      } else {
        spdlog::critical(
            "event=data_is_gone advice=\"the data directory or a database in it was removed or "
            "replaced: put it back, or stop this server and restore it\"");
      }
    }
    return there;
  }

 private:
  static constexpr std::chrono::milliseconds every{200};

  const data_directory& directory_;
  std::atomic<bool> there_ = true;
  std::atomic<std::chrono::steady_clock::time_point> next_look_{};
};

}  // namespace skanu
