// Every backend of the store, for suites that run against all of them.
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
  /// Opens or creates the store in a folder; `max_bytes` 0: no limit of its own.
  std::unique_ptr<store> (*open)(const std::filesystem::path& folder,
                                 const std::vector<service>& services, std::int64_t max_bytes);
  /// The file in the folder that holds the data.
  std::string file = {};
};

inline std::ostream& operator<<(std::ostream& out, const store_backend& b) { return out << b.name; }

/// memory, sqlite and lmdb.
const std::vector<store_backend>& all_backends();

/// Those that outlive the process.
std::vector<store_backend> durable_backends();

}  // namespace skanu
