// New folders and files of data: ownership, and flushed names.
#include "persistence/files/new_files.hpp"

#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <set>

#include "persistence/directory/data_directory.hpp"
#include "tests/support/flush_watch.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

/// The flushed paths and the paths without copy-on-write, as seen by a running test.
struct seen {
  std::set<std::filesystem::path> flushed;
  std::set<std::filesystem::path> without_copy_on_write;
};
seen* looking = nullptr;

std::filesystem::path path_of(int fd) {
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
}

}  // namespace

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  if (looking != nullptr && request == FS_IOC_GETFLAGS) {
    *static_cast<int*>(argument) = FS_NODUMP_FL;
    return 0;
  }
  if (looking != nullptr && request == FS_IOC_SETFLAGS) {
    if (*static_cast<int*>(argument) == (FS_NODUMP_FL | FS_NOCOW_FL))
      looking->without_copy_on_write.insert(path_of(fd));
    return 0;
  }
  return static_cast<int>(::syscall(SYS_ioctl, fd, request, argument));
}

namespace skanu {
namespace {

namespace fs = std::filesystem;

class new_data : public testing::Test {
 protected:
  new_data() : umask_(::umask(0)) {
    looking = &seen_;
    flush_watch = [](int fd) { looking->flushed.insert(path_of(fd)); };
  }
  ~new_data() override {
    flush_watch = nullptr;
    looking = nullptr;
    ::umask(umask_);
  }

  static void make(const fs::path& folder) {
    const data_directory made(folder.string(), {{service::order, service::delivery}});
  }

  const temporary_folder folder_;
  const fs::path data_ = folder_.path() / "by" / "data";
  mode_t umask_;
  seen seen_;
};

TEST_F(new_data, is_its_owners_alone_whatever_the_umask) {
  make(data_);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
    struct stat now {};
    ASSERT_EQ(::stat(entry.path().c_str(), &now), 0);
    EXPECT_EQ(now.st_mode & 0777, entry.is_directory() ? 0700U : 0600U) << entry.path();
    files += !entry.is_directory();
  }
  EXPECT_GE(files, 4) << "data.mdb, lock.mdb, delivery.sqlite3 and the lock";
}

// Every new name needs a flush of its parent folder, or a crash may lose the folder: lmdb/ as well
// as the data directory.
TEST_F(new_data, has_every_name_flushed_in_the_folder_that_it_stands_in) {
  make(data_);
  for (const auto& folder : {folder_.path(), data_.parent_path(), data_, data_ / "lmdb"})
    EXPECT_TRUE(seen_.flushed.contains(fs::canonical(folder))) << folder;
}

// Copy-on-write on a full btrfs would end the process with SIGBUS in the mapped lock.mdb.
TEST_F(new_data, is_kept_from_copy_on_write_while_it_is_empty) {
  make(data_);
  for (const auto& folder : {data_, data_ / "lmdb"})
    EXPECT_TRUE(seen_.without_copy_on_write.contains(fs::canonical(folder))) << folder;
  seen_.without_copy_on_write.clear();
  make(data_);
  EXPECT_TRUE(seen_.without_copy_on_write.empty()) << "it takes effect on empty ones only";
}

TEST_F(new_data, leaves_what_is_there_as_it_is) {
  fs::create_directories(data_);
  fs::permissions(data_, fs::perms(0755));
  make(data_);
  EXPECT_EQ(fs::status(data_).permissions(), fs::perms(0755));
}

TEST_F(new_data, is_warned_of_where_others_may_look_into_it) {
  {
    const log_capture log;
    make(data_);
    EXPECT_EQ(log.lines_with("open_to_others"), 0) << log.text();
  }
  fs::permissions(data_, fs::perms(0755));
  const log_capture log;
  make(data_);
  EXPECT_EQ(log.lines_with("event=open_to_others", data_.string(), "mode=755", "chmod -R go="), 1)
      << log.text();
}

}  // namespace
}  // namespace skanu
