// Every backend of the store, for suites over all backends.
#pragma once

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

struct store_backend {
  std::string name;
  bool durable = true;
  /// Opens or creates the store in a folder; `max_bytes` 0: no limit.
  std::unique_ptr<store> (*open)(const std::filesystem::path& folder,
                                 const std::vector<service>& services, std::int64_t max_bytes);
  /// The data file, relative to the folder.
  std::string file = {};
};

inline std::ostream& operator<<(std::ostream& out, const store_backend& b) { return out << b.name; }

/// The backends memory, sqlite and lmdb.
const std::vector<store_backend>& all_backends();

/// The backends whose data outlives the process.
std::vector<store_backend> durable_backends();

}  // namespace skanu
