// `skanu backup`: one moment of all databases, copied beside a server that goes on writing.
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/commands.hpp"
#include "cluster/cut.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

/// Flushes a file, or the names in a folder.
void flush(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = fd >= 0 && ::fsync(fd) == 0;
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!flushed)
    throw std::system_error(why, std::generic_category(), "cannot flush " + path.string());
}

void flush_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) flush(entry.path());
  flush(folder);
}

/// Where a process gathers what becomes the target.
fs::path unfinished(const fs::path& target, pid_t by) {
  return target.string() + ".unfinished-" + std::to_string(by);
}

/// A folder beside the one that it becomes; what is not finished is removed.
class unfinished_folder {
 public:
  explicit unfinished_folder(fs::path target)
      : target_(std::move(target)), path_(unfinished(target_, ::getpid())) {
    if (!fs::create_directories(path_))
      throw std::runtime_error("the folder " + path_.string() + " is in the way");
  }
  ~unfinished_folder() {
    std::error_code ignored;  // its name says what it is
    fs::remove_all(path_, ignored);
  }
  unfinished_folder(const unfinished_folder&) = delete;
  unfinished_folder& operator=(const unfinished_folder&) = delete;

  const fs::path& path() const { return path_; }

  /// Gives it its name, which nobody has or an empty folder, once all of it is on the disk.
  void finish() {
    flush_tree(path_);
    fs::rename(path_, target_);
    flush(target_.parent_path());
  }

 private:
  fs::path target_;
  fs::path path_;
};

/// Where the copy goes: absolute, without a slash at its end.
fs::path target_of(const std::string& to) {
  auto target = fs::absolute(to).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  if (fs::exists(target) && !(fs::is_directory(target) && fs::is_empty(target)))
    throw std::runtime_error(
        "the copy goes into a new or an empty folder, and there is something in " +
        target.string());
  return target;
}

void copy(const std::string& from, const fs::path& target) {
  const auto databases = open_existing(from);
  const cut moment(databases);
  unfinished_folder folder(target);
  for (std::size_t i = 0; i < databases.size(); ++i)
    databases[i].data->copy_to((folder.path() / databases[i].folder).string(),
                               *moment.snapshots()[i]);
  auto copies = open_existing(folder.path().string());
  mark_as_backup(copies, to_rfc3339(wall_clock_now()));
  copies.clear();
  folder.finish();
}

/// Waits for the process that copies; asked to stop, ends it and removes what it leaves.
int watch_over(pid_t copier, const fs::path& target, const sigset_t& awaited) {
  int signal = 0;
  sigwait(&awaited, &signal);
  if (signal != SIGCHLD) ::kill(copier, SIGKILL);
  int status = 0;
  while (::waitpid(copier, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::error_code ignored;
  fs::remove_all(unfinished(target, copier), ignored);
  return 128 + (signal == SIGCHLD ? WTERMSIG(status) : signal);
}

}  // namespace

int run_backup(const program_options& options) {
  const auto target = target_of(options.backup_to);
  sigset_t awaited;
  sigset_t before;
  sigemptyset(&awaited);
  for (const int s : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&awaited, s);
  pthread_sigmask(SIG_BLOCK, &awaited, &before);
  // A process of its own does the work, since a copy in the middle of a database hears no signal.
  const auto copier = ::fork();
  if (copier < 0) throw std::system_error(errno, std::generic_category(), "cannot fork");
  if (copier > 0) return watch_over(copier, target, awaited);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::signal(SIGINT, SIG_IGN);  // a terminal sends it to both
  copy(options.data, target);
  return 0;
}

}  // namespace skanu
