// The names of the databases in a data directory.
#pragma once

namespace skanu {

inline constexpr auto lmdb_folder = "lmdb";
inline constexpr auto sqlite_file = "delivery.sqlite3";

}  // namespace skanu
