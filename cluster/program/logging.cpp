#include "cluster/program/logging.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "persistence/files/new_files.hpp"

namespace skanu {

namespace {

/// Collects lines in memory for a writer thread. The thread writes at most every 100 ms, but at
/// once after a warning: a logging thread never waits for the file and rarely wakes another thread.
/// Lines beyond `bound` bytes are dropped, and the number of lost lines is logged.
class gathering_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit gathering_sink(int file) : file_(file), writer_([this] { run(); }) {}
  ~gathering_sink() override {
    {
      const std::lock_guard lock(gathered_mutex_);
      stopping_ = true;
    }
    give_up_at_ = (std::chrono::steady_clock::now() + patience_at_the_end).time_since_epoch();
    wake_.notify_one();
    writer_.join();
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    bool first = false;
    {
      const std::lock_guard lock(gathered_mutex_);
      first = gathered_.empty();
      if (gathered_.size() + line.size() > bound) {
        ++lost_;
      } else {
        gathered_.append(line.data(), line.size());
      }
    }
    if (first) wake_.notify_one();
  }

  void flush_() override {
    {
      const std::lock_guard lock(gathered_mutex_);
      urgent_ = true;
    }
    wake_.notify_one();
  }

 private:
  using duration = std::chrono::steady_clock::duration;

  static constexpr std::size_t bound = 4 << 20;
  /// A pipe with room takes this many bytes without blocking.
  static constexpr std::size_t piece = PIPE_BUF;
  static constexpr std::chrono::seconds patience_at_the_end{1};

  void run() {
    std::string lines;
    for (bool last = false; !last;) {
      {
        std::unique_lock lock(gathered_mutex_);
        const auto now = [this] { return urgent_ || stopping_; };
        wake_.wait(lock, [&] { return now() || !gathered_.empty(); });
        wake_.wait_for(lock, std::chrono::milliseconds(100), now);
        last = stopping_;
        urgent_ = false;
        lines.swap(gathered_);
        if (lost_ > 0)
          lines += "level=warning event=log_lines_lost count=" + std::to_string(lost_) + "\n";
        lost_ = 0;
      }
      write_all(lines);
      lines.clear();
    }
  }

  /// Polls for room before each write, because a pipe may have no reader: a stop then ends the
  /// wait.
  void write_all(std::string_view text) const {
    while (!text.empty()) {
      if (std::chrono::steady_clock::now().time_since_epoch() > give_up_at_.load()) return;
      pollfd out{file_, POLLOUT, 0};
      if (::poll(&out, 1, 100) == 0) continue;
      const auto written = ::write(file_, text.data(), std::min(text.size(), piece));
      if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (written <= 0) return;  // a failure of the log has no place to be reported
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  int file_;
  std::atomic<duration> give_up_at_ = duration::max();
  std::mutex gathered_mutex_;
  std::condition_variable wake_;
  std::string gathered_;
  std::int64_t lost_ = 0;
  bool urgent_ = false;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace

int start_logging(const std::string& file, const std::string& level, const std::string& node) {
  int opened = STDERR_FILENO;
  if (!file.empty()) {
    opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (opened < 0)
      throw std::runtime_error("cannot open the log file " + file + ": " +
                               std::system_category().message(errno));
  }
  const auto logger =
      std::make_shared<spdlog::logger>("skanu", std::make_shared<gathering_sink>(opened));
  logger->set_pattern(
      "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l " + (node.empty() ? "" : "node=" + node + " ") + "%v",
      spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(logger);
  if (!file.empty()) warn_if_open_to_others(file);
  return opened;
}

void stop_logging() { spdlog::shutdown(); }

}  // namespace skanu
