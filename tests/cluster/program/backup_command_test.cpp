// `skanu backup`: a finished copy is on the disk, with every file and name.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "cluster/program/commands.hpp"
#include "persistence/directory/data_directory.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

/// The file for a line per call; empty: no calls are noted. Survives into child processes.
std::string notes;

void note(const std::string& line) {
  if (!notes.empty()) std::ofstream(notes, std::ios::app) << line << '\n';
}

}  // namespace

// The program and the libraries call these functions in place of the C library's.
extern "C" int fsync(int fd) {
  if (!notes.empty())
    note(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)).string());
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int rename(const char* from, const char* to) noexcept {
  note("rename to " + std::string(to));
  return static_cast<int>(::syscall(SYS_rename, from, to));
}

namespace skanu {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A power failure right behind the success of a backup must not leave an empty copy.
TEST(backup, flushes_every_file_and_folder_then_renames_the_copy_and_flushes_the_name) {
  const temporary_folder folder;
  program_options options;
  options.data = (folder.path() / "data").string();
  options.backup_to = (folder.path() / "copy").string();
  data_directory(options.data, {{service::order, service::delivery}});
  child_process copier([&] {
    notes = (folder.path() / "notes").string();
    return run_backup(options);
  });
  ASSERT_EQ(copier.wait(), 0);

  std::set<std::string> copied{""};
  for (const auto& entry : fs::recursive_directory_iterator(options.backup_to))
    copied.insert(fs::relative(entry.path(), options.backup_to).string());
  ASSERT_GE(copied.size(), 5U) << "this test shows nothing";
  const auto done = lines_of(folder.path() / "notes");
  ASSERT_GE(done.size(), copied.size() + 2);
  EXPECT_EQ(done.back(), folder.path().string());
  EXPECT_EQ(*(done.rbegin() + 1), "rename to " + options.backup_to);
  std::set<std::string> flushed;
  for (auto line = done.rbegin() + 2; line < done.rbegin() + 2 + std::ssize(copied); ++line) {
    ASSERT_TRUE(line->starts_with(options.backup_to + ".unfinished-")) << *line;
    const auto slash = line->find('/', options.backup_to.size());
    flushed.insert(slash == line->npos ? "" : line->substr(slash + 1));
  }
  EXPECT_EQ(flushed, copied);
}

}  // namespace
}  // namespace skanu
