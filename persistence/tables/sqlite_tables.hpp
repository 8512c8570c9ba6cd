// Ordered tables in a single SQLite file, readable with the sqlite3 shell: a table per service and
// kind, such as "delivery.entities", with keys as blobs and values as text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// Opens or creates `file` in an existing folder; every commit is flushed to the disk before
/// returning. `max_bytes` bounds the file, without the write-ahead log of a few megabytes; 0: only
/// the disk bounds the file. Writers of all processes take turns and wait at most ten seconds for
/// each other; processes may open the same file at the same time, but not during the creation.
///
/// Throws store_error for a file that is damaged, empty, not writable, foreign, or written by a
/// newer program; such a file stays unchanged.
std::unique_ptr<ordered_tables> open_sqlite_tables(const std::string& file,
                                                   const std::vector<service>& services,
                                                   std::int64_t max_bytes);

}  // namespace skanu
