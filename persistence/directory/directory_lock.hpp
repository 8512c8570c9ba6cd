// The locks of a data directory's server: no other server uses the directory or its databases,
// under whatever name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace skanu {

/// Device and number of a file.
using file_id = std::pair<std::uint64_t, std::uint64_t>;

/// Returns the identity of a file or folder behind all links; nullopt without one.
std::optional<file_id> file_id_of(const std::filesystem::path& path);

/// Locks by flock, for the life of the object. flock is apart from the locks of LMDB and SQLite,
/// but closing a file drops SQLite's locks on the file: this class opens no file of SQLite.
class directory_lock {
 public:
  /// Creates the folder if needed, and locks the folder itself, because users remove a file named
  /// lock by reflex. Throws store_error if another server holds the directory.
  explicit directory_lock(const std::string& folder);
  ~directory_lock();
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

  /// Locks the databases in the folder at their real places, where links may lead to another
  /// directory: LMDB's file, and the folder of SQLite's file. Locks no place twice. Throws
  /// store_error if another server holds a database.
  void add_databases();

 private:
  void hold(int file, const std::string& what);
  void release();

  std::filesystem::path folder_;
  std::vector<std::pair<file_id, int>> held_;
};

}  // namespace skanu
