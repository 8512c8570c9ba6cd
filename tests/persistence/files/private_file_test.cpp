// Files readable only by their owner.
#include "persistence/files/private_file.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/flush_watch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

struct private_file : testing::Test {
  std::string why_not(mode_t mode, const std::string& content) {
    std::ofstream(file) << content;
    ::chmod(file.c_str(), mode);
    try {
      read_private_line(file);
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return {};
  }

  temporary_folder folder;
  const std::string file = (folder.path() / "secret").string();
};

TEST_F(private_file, is_made_for_its_owner_alone_and_read_again) {
  const auto mask = ::umask(0);
  write_private_line(file, "one");
  ::umask(mask);
  struct stat about {};
  ASSERT_EQ(::stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_EQ(read_private_line(file), "one");
  write_private_line(file, "two");
  EXPECT_EQ(read_private_line(file), "two");
}

std::set<std::filesystem::path> flushed;

TEST_F(private_file, is_flushed_and_so_is_its_name) {
  flush_watch = [](int fd) {
    flushed.insert(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)));
  };
  write_private_line(file, "one");
  flush_watch = nullptr;
  const auto folder_of_it = std::filesystem::canonical(folder.path());
  EXPECT_EQ(flushed, (std::set{folder_of_it, folder_of_it / "secret.new"}));
}

TEST_F(private_file, what_a_crash_left_is_in_nobodys_way) {
  std::ofstream(file + ".new") << "half of a";
  write_private_line(file, "one");
  EXPECT_EQ(read_private_line(file), "one");
  EXPECT_FALSE(std::filesystem::exists(file + ".new"));
}

TEST_F(private_file, that_others_may_read_was_read) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0666})
    EXPECT_NE(why_not(mode, "secret\n").find("chmod 600"), std::string::npos) << mode;
  // It ended with ": Operation not permitted".
  EXPECT_EQ(why_not(0640, "secret\n"), "others may read the secret in " + file + ": chmod 600 it");
  EXPECT_EQ(why_not(0600, "secret\n"), "");
  EXPECT_EQ(why_not(0400, "secret\n"), "");
}

TEST_F(private_file, without_a_line_holds_no_secret) {
  for (const auto* content : {"", "\nsecret\n"})
    EXPECT_EQ(why_not(0600, content), "there is no secret in the file " + file);
  EXPECT_THROW(read_private_line(folder.path() / "nowhere"), std::system_error);
  EXPECT_THROW(read_private_line(folder.path()), std::runtime_error);
}

}  // namespace
}  // namespace skanu
