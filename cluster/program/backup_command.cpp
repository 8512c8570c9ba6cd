// `skanu backup`: copies a consistent cut of all databases, beside a writing server.
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

#include "actors/audit/audit.hpp"
#include "actors/audit/consistent_cut.hpp"
#include "cluster/program/commands.hpp"
#include "cluster/program/watched_reading.hpp"
#include "persistence/files/new_files.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

void flush_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) flush(entry.path());
  flush(folder);
}

/// Returns the folder of an unfinished copy of a process.
fs::path unfinished(const fs::path& target, pid_t by) {
  return target.string() + ".unfinished-" + std::to_string(by);
}

/// A folder for an unfinished copy, beside the target. The destructor removes an unfinished copy.
class unfinished_folder {
 public:
  explicit unfinished_folder(fs::path target)
      : target_(std::move(target)), path_(unfinished(target_, ::getpid())) {
    if (fs::exists(path_))
      throw std::runtime_error("the folder " + path_.string() + " is in the way");
    make_data_folder(path_);
  }
  ~unfinished_folder() {
    std::error_code ignored;  // the folder's name marks the copy as unfinished
    fs::remove_all(path_, ignored);
  }
  unfinished_folder(const unfinished_folder&) = delete;
  unfinished_folder& operator=(const unfinished_folder&) = delete;

  const fs::path& path() const { return path_; }

  /// Flushes all files, then renames the folder to the target: a new name or an empty folder.
  void finish() {
    flush_tree(path_);
    fs::rename(path_, target_);
    flush(target_.parent_path());
  }

 private:
  fs::path target_;
  fs::path path_;
};

/// Returns the target as an absolute path without a final slash. Throws std::runtime_error if the
/// target is not new and not an empty folder.
fs::path target_of(const std::string& to) {
  auto target = fs::absolute(to).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  if (fs::exists(target) && !(fs::is_directory(target) && fs::is_empty(target)))
    throw std::runtime_error(
        "the copy goes into a new or an empty folder, and there is something in " +
        target.string());
  return target;
}

std::int64_t damaged_values(const snapshot& moment, const std::vector<service>& services) {
  std::int64_t damaged = 0;
  for (const auto s : services)
    for (const auto& table : moment.check_values(s)) damaged += table.damaged;
  return damaged;
}

/// Returns the number of broken invariants in a copy: a file removed beside the writing server
/// leaves databases that read well and do not belong together.
std::int64_t violations_in(const std::vector<database>& copies) {
  const cut moment(copies);
  return audit(moment.by_service()).violation_count();
}

/// Returns the exit status: 0 for a sound copy, 1 for a finished copy of damaged data.
int copy(const std::string& from, const fs::path& target) {
  const auto databases = open_existing(from);
  const cut moment(databases);
  unfinished_folder folder(target);
  std::int64_t damaged = 0;
  for (std::size_t i = 0; i < databases.size(); ++i) {
    const auto& data = *databases[i].data;
    const auto& shown = *moment.snapshots()[i];
    data.copy_to((folder.path() / databases[i].folder).string(), shown);
    damaged += damaged_values(shown, data.services());
  }
  auto copies = open_existing(folder.path().string());
  mark_as_backup(copies, to_rfc3339(wall_clock_now()));
  const auto violations = violations_in(copies);
  copies.clear();
  folder.finish();
  if (damaged > 0)
    std::cerr << "skanu: the copy is made, with " << damaged
              << " damaged values as they are in the data: skanu audit names them" << std::endl;
  if (damaged == 0 && violations > 0)
    std::cerr << "skanu: the copy is made, and " << violations
              << " things in it do not add up: skanu audit --data " << target.string()
              << " names them" << std::endl;
  return damaged == 0 && violations == 0 ? 0 : 1;
}

}  // namespace

int run_backup(const program_options& options) {
  const auto target = target_of(options.backup_to);
  return read_in_child(
      options.data, [&] { return copy(options.data, target); },
      [&](pid_t copier) {
        std::error_code ignored;  // the folder's name marks the copy as unfinished
        fs::remove_all(unfinished(target, copier), ignored);
      },
      std::chrono::minutes{10});  // the flush of a large copy shows no progress
}

}  // namespace skanu
