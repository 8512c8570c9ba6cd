#include "persistence/tables/database_in_use.hpp"

#include <mutex>
#include <set>

namespace skanu {

const char* lasting_path(const std::string& path) {
  static std::mutex mutex;
  static auto& paths = *new std::set<std::string>;  // outlives every thread
  const std::lock_guard lock(mutex);
  return paths.insert(path).first->c_str();
}

}  // namespace skanu
