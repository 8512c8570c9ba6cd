// Ordered tables in LMDB, the default database. Every table of a node is a named database of the
// same environment, so that a single flush serves all services of the node.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// Default limit of an environment, in bytes of address space: the file has the size of the data.
inline constexpr std::int64_t default_lmdb_limit = std::int64_t{256} << 30;

/// Expected order of page reads. A server keeps only the used pages in memory; a reader of all
/// pages is several times as fast if the system reads pages ahead.
enum class page_use : std::uint8_t { scattered, all };

/// Interval of a writer's search for dead readers: until found, their pages are not reused, and the
/// file grows.
inline constexpr std::chrono::milliseconds usual_reader_check = std::chrono::seconds{30};

/// Opens or creates the environment in `folder` (created with its parents) with the tables of
/// `services`. `max_bytes` limits the size; 0 means the default. A process may open a folder only
/// once at a time. Throws store_error with a clear sentence for a file that is damaged, truncated,
/// foreign or not accessible.
std::unique_ptr<ordered_tables> open_lmdb_tables(
    const std::string& folder, const std::vector<service>& services, std::int64_t max_bytes = 0,
    page_use pages = page_use::scattered,
    std::chrono::milliseconds reader_check = usual_reader_check);

/// Returns the services with tables in the environment of `folder`. Throws like open_lmdb_tables;
/// creates no file.
std::vector<service> services_in_lmdb(const std::string& folder);

}  // namespace skanu
