// A part of a test in its own process, free to crash or be killed.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <stdexcept>

namespace skanu {

/// Both ends of a pipe of 64-bit numbers.
class number_pipe {
 public:
  number_pipe() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
  }
  ~number_pipe() {
    close_end(0);
    close_end(1);
  }
  number_pipe(const number_pipe&) = delete;
  number_pipe& operator=(const number_pipe&) = delete;

  void only_reads() { close_end(1); }
  void only_writes() { close_end(0); }

  /// False without a reader.
  bool write(std::int64_t number) {
    return ::write(ends_[1], &number, sizeof number) == sizeof number;
  }

  /// nullopt at the end of the numbers, or when the time runs out.
  std::optional<std::int64_t> read(std::chrono::milliseconds longest_wait) {
    pollfd waiting{ends_[0], POLLIN, 0};
    std::int64_t number = 0;
    if (::poll(&waiting, 1, static_cast<int>(longest_wait.count())) != 1 ||
        ::read(ends_[0], &number, sizeof number) != sizeof number)
      return std::nullopt;
    return number;
  }

 private:
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

/// Runs `work` in a child process. The test must have no other thread. The child's exit status is
/// the result of `work`, 100 after an exception.
class child_process {
 public:
  explicit child_process(const std::function<int()>& work) : pid_(fork_flushed()) {
    if (pid_ < 0) throw std::runtime_error("no child process");
    if (pid_ > 0) return;
    int status = 100;
    try {
      status = work();
    } catch (...) {
    }
    ::_exit(status);  // skips the parent's destructors and test report
  }
  ~child_process() {
    if (!ended_) {
      kill();
      wait();
    }
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  void kill() const { ::kill(pid_, SIGKILL); }

  /// The exit status, or minus the number of the signal that ended the child.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  static pid_t fork_flushed() {
    std::fflush(nullptr);  // or the child may print the parent's buffered output
    return ::fork();
  }

  pid_t pid_;
  bool ended_ = false;
};

}  // namespace skanu
