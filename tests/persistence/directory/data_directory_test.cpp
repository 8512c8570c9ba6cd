// Files that a server notices to be gone, and changes of files that it rightly ignores.
#include "persistence/directory/data_directory.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

namespace fs = std::filesystem;

void write_row(data_directory& directory, const std::string& value) {
  commit c{.of = service::delivery, .rows = {{row_space::meta, "test", value}}};
  const commit* batch[] = {&c};
  ASSERT_FALSE(directory.of(service::delivery).write(batch).front());
}

// More than three times what the log holds when it begins anew.
TEST(a_watched_directory, keeps_its_files_when_the_write_ahead_log_begins_anew) {
  const temporary_folder folder;
  data_directory directory(folder.path(), {{service::delivery, service::order}});
  const auto log = fs::path(folder.path()) / "delivery.sqlite3-wal";
  std::uintmax_t longest = 0;
  for (int i = 0; i < 400; ++i) {
    write_row(directory, std::string(100'000, static_cast<char>('a' + i % 26)));
    longest = std::max(longest, fs::file_size(log));
  }
  EXPECT_LT(longest, 20'000'000U) << "it never began anew";
  EXPECT_TRUE(directory.is_there());
  open_existing(folder.path());
  EXPECT_TRUE(directory.is_there()) << "a reader beside it closed its connections";
  fs::remove(log);
  EXPECT_FALSE(directory.is_there());
}

}  // namespace
}  // namespace skanu
