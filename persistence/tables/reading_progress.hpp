// Progress of a process that reads whole databases, for a watching process.
#pragma once

#include <atomic>
#include <cstdint>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// In memory shared by two processes.
struct reading_progress {
  std::atomic<std::uint64_t> steps = 0;
  std::atomic<std::size_t> table = no_table;  ///< The table now read.

  static constexpr std::size_t no_table = service_count * table_kind_count;
};

/// Null in an unwatched process.
inline std::atomic<reading_progress*> watched_reading = nullptr;

/// Call for each value of a long scan.
inline void note_reading(table t) {
  if (auto* const progress = watched_reading.load(std::memory_order_relaxed)) {
    progress->steps.fetch_add(1, std::memory_order_relaxed);
    progress->table.store(t.index(), std::memory_order_relaxed);
  }
}

}  // namespace skanu
