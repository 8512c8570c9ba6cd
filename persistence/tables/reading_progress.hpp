// The progress of a process that reads whole databases tells another one, which watches over it,
// how far it is.
#pragma once

#include <atomic>
#include <cstdint>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// In memory that two processes share.
struct reading_progress {
  std::atomic<std::uint64_t> steps = 0;
  std::atomic<std::size_t> table = no_table;  ///< That is being read.

  static constexpr std::size_t no_table = service_count * table_kind_count;
};

/// Null in a process that nobody watches over.
inline std::atomic<reading_progress*> watched_reading = nullptr;

/// To be called for each value that is read of many.
inline void note_reading(table t) {
  if (auto* const progress = watched_reading.load(std::memory_order_relaxed)) {
    progress->steps.fetch_add(1, std::memory_order_relaxed);
    progress->table.store(t.index(), std::memory_order_relaxed);
  }
}

}  // namespace skanu
