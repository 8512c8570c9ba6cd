// Watches the readers of an LMDB environment in all processes.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include <lmdb.h>

#include "persistence/store.hpp"
#include "persistence/tables/lmdb_environment.hpp"

namespace skanu {

/// Tracks the ages of readers. LMDB's table of readers names each reader's transaction, but no
/// time: the age counts from the first check that finds the reader behind. Thread-safe.
class lmdb_readers {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Age at which a reader is logged, and the interval between log lines.
  static constexpr std::chrono::seconds patience{60};

  /// Updates the list of readers and returns the figures.
  reader_figures look(MDB_env* env, time_point now);

  /// Also counts the bytes held back, and logs the oldest reader.
  void look_closely(lmdb_environment& in, const std::string& folder, time_point now);

 private:
  using reader = std::tuple<int, std::size_t, std::size_t>;  ///< Process, thread, transaction.

  void list(MDB_env* env, time_point now);

  std::mutex mutex_;
  std::map<reader, time_point> behind_;
  std::int64_t held_bytes_ = 0;
  time_point said_at_{};
};

/// Returns a process's name in a form fit for a log line; empty for an ended process.
std::string process_name(int pid);

}  // namespace skanu
