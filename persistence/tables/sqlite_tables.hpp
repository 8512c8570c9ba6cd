// Ordered tables in one SQLite file, readable with the sqlite3 shell: a table per service and kind,
// such as "delivery.entities", with keys as blobs and values as text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// Opens `file`, whose folder is there, or creates it; every commit is flushed to the disk before
/// it returns. `max_bytes` bounds the file, without its write-ahead log of a few megabytes; 0: only
/// the disk bounds it. Writers of all processes take turns and wait at most ten seconds for each
/// other; processes may open one file at the same time, but not while one of them creates it.
///
/// Throws store_error where the file is damaged or empty, cannot be written, is not a database of
/// this program or one that a newer program wrote; such a file is left as it is.
std::unique_ptr<ordered_tables> open_sqlite_tables(const std::string& file,
                                                   const std::vector<service>& services,
                                                   std::int64_t max_bytes);

}  // namespace skanu
