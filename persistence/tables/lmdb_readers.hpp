// Watches the readers of an LMDB environment, in whatever process they are.
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

/// LMDB's table of readers says who reads and since which transaction, not since when: a reader's
/// age counts from the first look that found it behind. Thread-safe.
class lmdb_readers {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// A reader of this age is named in the log, once a minute.
  static constexpr std::chrono::seconds patience{60};

  /// Looks who reads.
  reader_figures look(MDB_env* env, time_point now);

  /// The same; also counts what is held, and logs who holds it.
  void look_closely(lmdb_environment& in, const std::string& folder, time_point now);

 private:
  using reader = std::tuple<int, std::size_t, std::size_t>;  ///< Process, thread, transaction.

  void list(MDB_env* env, time_point now);

  std::mutex mutex_;
  std::map<reader, time_point> behind_;
  std::int64_t held_bytes_ = 0;
  time_point said_at_{};
};

/// The name of a process as the system has it, fit for a log line; empty where it is gone.
std::string process_name(int pid);

}  // namespace skanu
