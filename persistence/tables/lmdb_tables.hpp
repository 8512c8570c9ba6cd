// Ordered tables in LMDB: the default database. Every table of a node is a named database of one
// environment, so that one flush serves all of its services.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// How large an LMDB environment may grow where nobody sets a limit. It is address space, not disk:
/// the file has the size of what is stored.
inline constexpr std::int64_t default_lmdb_limit = std::int64_t{256} << 30;

/// Which pages will be wanted next. A server keeps only those that it uses in memory; who reads
/// everything reads several times as fast where the system fetches pages before they are asked for.
enum class page_use : std::uint8_t { scattered, all };

/// How often a writer looks for processes that died while they read: their pages are not used
/// again until then, and the file grows.
inline constexpr std::chrono::milliseconds usual_reader_check = std::chrono::seconds{30};

/// Opens or makes the environment in `folder` (made with its parents where it is not there), with
/// the tables of `services`. `max_bytes` bounds its size; 0 means the default. At most one open
/// environment per folder in one process. Throws store_error with one clear sentence for a file
/// that is damaged, truncated, of another kind or not accessible.
std::unique_ptr<ordered_tables> open_lmdb_tables(
    const std::string& folder, const std::vector<service>& services, std::int64_t max_bytes = 0,
    page_use pages = page_use::scattered,
    std::chrono::milliseconds reader_check = usual_reader_check);

/// The services whose tables are in the environment of `folder`. Throws like open_lmdb_tables;
/// makes nothing.
std::vector<service> services_in_lmdb(const std::string& folder);

}  // namespace skanu
