#include "persistence/files/new_files.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <linux/fs.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "persistence/store.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

std::string words_for(int why) { return std::generic_category().message(why); }

fs::path folder_of(const fs::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

/// Works only on an empty folder. Most file systems have no such flag and need none.
void leave_copy_on_write(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_NOCOW_FL) == 0) {
    flags |= FS_NOCOW_FL;
    ::ioctl(fd, FS_IOC_SETFLAGS, &flags);
  }
  ::close(fd);
}

}  // namespace

void flush(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = fd >= 0 && ::fsync(fd) == 0;
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!flushed)
    throw store_error(errc::store_failed, path.string() + " cannot be flushed: " + words_for(why));
}

void make_data_folder(const fs::path& given) {
  auto folder = given.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // removes a final slash
  std::error_code unknown;
  if (folder.empty() || fs::is_directory(folder, unknown)) return;
  if (folder.has_parent_path()) make_data_folder(folder.parent_path());
  if (::mkdir(folder.c_str(), private_folder) != 0) {
    const int why = errno;
    // created meanwhile by another process
    if (why == EEXIST && fs::is_directory(folder, unknown)) return;
    throw store_error(errc::store_failed,
                      "cannot make the folder " + folder.string() + ": " + words_for(why));
  }
  leave_copy_on_write(folder);
  flush(folder_of(folder));
}

int open_private(const fs::path& file, int flags) {
  return ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, private_file);
}

void warn_if_open_to_others(const fs::path& path) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0 || (now.st_mode & 077) == 0) return;
  spdlog::warn("event=open_to_others path=\"{}\" mode={:o} advice=\"chmod -R go= {}\"",
               path.string(), now.st_mode & 07777, path.string());
}

}  // namespace skanu
