#include "persistence/directory/directory_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persistence/directory/database_files.hpp"
#include "persistence/files/new_files.hpp"
#include "persistence/store.hpp"

namespace skanu {

namespace fs = std::filesystem;

std::optional<file_id> file_id_of(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return file_id{found.st_dev, found.st_ino};
}

directory_lock::directory_lock(const std::string& folder) : folder_(folder) {
  make_data_folder(folder_);
  try {
    const auto what = "the data directory " + folder;
    hold(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), what);
    // The file locked by an earlier version: only one of both versions serves the directory.
    hold(open_private(folder_ / "lock", 0), what);
  } catch (...) {
    release();
    throw;
  }
}

directory_lock::~directory_lock() { release(); }

void directory_lock::add_databases() {
  const auto add = [this](const fs::path& place, const char* database) {
    const auto id = file_id_of(place);
    if (!id || std::ranges::find(held_, *id, &std::pair<file_id, int>::first) != held_.end())
      return;
    hold(::open(place.c_str(), O_RDONLY | O_CLOEXEC),
         "the database " + (folder_ / database).string());
  };
  add(folder_ / lmdb_folder / "data.mdb", lmdb_folder);
  std::error_code none;
  const auto real = fs::canonical(folder_ / sqlite_file, none);
  if (!none) add(real.parent_path(), sqlite_file);
}

/// Locks an open file or folder; throws if the opening failed, or another server holds the lock.
void directory_lock::hold(int file, const std::string& what) {
  if (file < 0)
    throw store_error(errc::store_failed,
                      "cannot open " + what + ": " + std::generic_category().message(errno));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    ::close(file);
    throw store_error(errc::store_failed, what + " is held by another server");
  }
  struct stat found {};
  ::fstat(file, &found);
  held_.push_back({{found.st_dev, found.st_ino}, file});
}

void directory_lock::release() {
  for (const auto& [id, file] : held_) ::close(file);
  held_.clear();
}

}  // namespace skanu
