#include "cluster/program/log_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "persistence/files/new_files.hpp"

namespace skanu {

namespace {

/// Bytes that a pipe with room takes without blocking.
constexpr std::size_t piece = PIPE_BUF;

}  // namespace

int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, private_file);
}

std::shared_ptr<log_writer> log_writer::start(int file, std::string path, line_maker own_line) {
  auto writer = std::make_shared<log_writer>(file, std::move(path), std::move(own_line));
  std::thread([writer] { writer->run(); }).detach();
  return writer;
}

log_writer::log_writer(int file, std::string path, line_maker own_line)
    : file_(file), path_(std::move(path)), own_line_(std::move(own_line)) {}

void log_writer::add(std::string_view line) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = gathered_.empty();
    if (gathered_.size() + line.size() > bound) {
      ++lost_;
    } else {
      gathered_.append(line);
    }
  }
  if (first) wake_.notify_one();
}

void log_writer::hurry() {
  {
    const std::lock_guard lock(mutex_);
    urgent_ = true;
  }
  wake_.notify_one();
}

void log_writer::open_anew() {
  {
    const std::lock_guard lock(mutex_);
    renewing_ = true;
  }
  wake_.notify_one();
}

void log_writer::stop() {
  give_up_at_ = (std::chrono::steady_clock::now() + patience_at_the_end).time_since_epoch();
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  // Longer than the thread's own patience: time for a last write.
  ended_.wait_for(lock, 2 * patience_at_the_end, [this] { return has_ended_; });
}

void log_writer::run() {
  std::string lines;
  for (bool last = false; !last;) {
    bool renew = false;
    std::int64_t lost = 0;
    {
      std::unique_lock lock(mutex_);
      const auto now = [this] { return urgent_ || stopping_ || renewing_; };
      wake_.wait(lock, [&] { return now() || !gathered_.empty(); });
      wake_.wait_for(lock, std::chrono::milliseconds(100), now);
      last = stopping_;
      urgent_ = false;
      renew = std::exchange(renewing_, false);
      lost = std::exchange(lost_, 0);
      lines.swap(gathered_);
    }
    if (lost > 0)
      lines += own_line_(spdlog::level::warn, "event=log_lines_lost count=" + std::to_string(lost));
    if (renew) lines.insert(0, renew_file());
    const auto refused = write_all(lines);
    lines.clear();
    if (refused == 0) continue;
    const std::lock_guard lock(mutex_);
    lost_ += refused + (lost > 0 ? lost - 1 : 0);  // the line about the lost lines is lost, too
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  ended_.notify_one();
}

/// Puts the path's present file in the place of the open file: the descriptor keeps the number to
/// which a crashing process writes. Returns a line about the result. A failed opening leaves the
/// file of before.
std::string log_writer::renew_file() {
  if (path_.empty()) return {};
  const int opened = open_log(path_);
  const bool renewed = opened >= 0 && ::dup3(opened, file_, O_CLOEXEC) >= 0;
  const int why = errno;
  if (opened >= 0) ::close(opened);
  if (renewed) torn_ = false;
  return renewed ? own_line_(spdlog::level::info, "event=log_opened_anew")
                 : own_line_(spdlog::level::err, "event=log_not_opened_anew reason=\"" +
                                                     std::system_category().message(why) + "\"");
}

/// Returns the number of refused lines. Polls for room before each write, because a pipe may have
/// no reader: a stop then ends the wait.
std::int64_t log_writer::write_all(std::string_view lines) {
  if (torn_ && ::write(file_, "\n", 1) == 1) torn_ = false;
  for (std::size_t at = 0; at < lines.size();) {
    if (std::chrono::steady_clock::now().time_since_epoch() > give_up_at_.load()) return 0;
    pollfd out{file_, POLLOUT, 0};
    if (::poll(&out, 1, 100) == 0) continue;
    const auto part = lines.substr(at, piece);
    const auto written = ::write(file_, part.data(), part.size());
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) {
      if (at > 0) torn_ = lines[at - 1] != '\n';
      return std::ranges::count(lines.substr(at), '\n');
    }
    at += static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace skanu
