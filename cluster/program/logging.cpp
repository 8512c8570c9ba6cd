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

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "cluster/program/log_json.hpp"
#include "persistence/files/new_files.hpp"

namespace skanu {

namespace {

/// Returns -1 and sets errno on failure. A pipe at the path must have a reader.
int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, private_file);
}

/// Collects lines in memory for a writer thread. The thread writes at most every 100 ms, but at
/// once after a warning: a logging thread never waits for the file and rarely wakes another thread.
/// Lines beyond `bound` bytes are dropped, and the number of lost lines is logged.
class gathering_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// `path` is the file's, or empty for a descriptor that is never opened again.
  gathering_sink(int file, std::string path)
      : file_(file), path_(std::move(path)), writer_([this] { run(); }) {}
  ~gathering_sink() override {
    {
      const std::lock_guard lock(gathered_mutex_);
      stopping_ = true;
    }
    give_up_at_ = (std::chrono::steady_clock::now() + patience_at_the_end).time_since_epoch();
    wake_.notify_one();
    writer_.join();
  }

  /// Lines from now on go to the file that has the path then. No line is lost or divided.
  void open_anew() {
    {
      const std::lock_guard lock(gathered_mutex_);
      renewing_ = true;
    }
    wake_.notify_one();
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
      bool renew = false;
      std::int64_t lost = 0;
      {
        std::unique_lock lock(gathered_mutex_);
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
        lines +=
            own_line(spdlog::level::warn, "event=log_lines_lost count=" + std::to_string(lost));
      if (renew) lines.insert(0, renew_file());
      write_all(lines);
      lines.clear();
    }
  }

  /// Puts the file that has the path now in the place of the open one: the descriptor keeps its
  /// number, to which a crashing process writes. Returns a line about the result. An opening that
  /// fails leaves the file of before.
  std::string renew_file() {
    if (path_.empty()) return {};
    const int opened = open_log(path_);
    const bool renewed = opened >= 0 && ::dup3(opened, file_, O_CLOEXEC) >= 0;
    const int why = errno;
    if (opened >= 0) ::close(opened);
    return renewed ? own_line(spdlog::level::info, "event=log_opened_anew")
                   : own_line(spdlog::level::err, "event=log_not_opened_anew reason=\"" +
                                                      std::system_category().message(why) + "\"");
  }

  std::string own_line(spdlog::level::level_enum level, std::string_view text) {
    spdlog::memory_buf_t line;
    const std::lock_guard lock(mutex_);
    formatter_->format({"skanu", level, {text.data(), text.size()}}, line);
    return {line.data(), line.size()};
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

  const int file_;
  const std::string path_;
  std::atomic<duration> give_up_at_ = duration::max();
  std::mutex gathered_mutex_;
  std::condition_variable wake_;
  std::string gathered_;
  std::int64_t lost_ = 0;
  bool urgent_ = false;
  bool stopping_ = false;
  bool renewing_ = false;
  std::thread writer_;
};

/// Writes each line as a JSON object.
class json_formatter final : public spdlog::formatter {
 public:
  explicit json_formatter(std::string node) : node_(std::move(node)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    line_.clear();
    head_.format(message, out);
    if (!node_.empty()) line_ += ",\"node\":\"" + node_ + '"';
    append_json_fields(line_, {message.payload.data(), message.payload.size()});
    line_ += "}\n";
    out.append(line_.data(), line_.data() + line_.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<json_formatter>(node_);
  }

 private:
  const std::string node_;
  spdlog::pattern_formatter head_{R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l")",
                                  spdlog::pattern_time_type::utc, ""};
  std::string line_;  // kept for its memory
};

std::unique_ptr<spdlog::formatter> formatter_for(const log_options& options) {
  if (options.format == log_format::json) return std::make_unique<json_formatter>(options.node);
  return std::make_unique<spdlog::pattern_formatter>(
      "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l " +
          (options.node.empty() ? "" : "node=" + options.node + " ") + "%v",
      spdlog::pattern_time_type::utc);
}

/// The sink of the process's logger, between start and stop of the log.
std::shared_ptr<gathering_sink> lines_out;

}  // namespace

int start_logging(const log_options& options) {
  int opened = STDERR_FILENO;
  if (!options.file.empty()) {
    opened = open_log(options.file);
    if (opened < 0)
      throw std::runtime_error("cannot open the log file " + options.file + ": " +
                               std::system_category().message(errno));
  }
  lines_out = std::make_shared<gathering_sink>(opened, options.file);
  const auto logger = std::make_shared<spdlog::logger>("skanu", lines_out);
  logger->set_formatter(formatter_for(options));
  logger->set_level(spdlog::level::from_str(options.level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(logger);
  if (!options.file.empty()) warn_if_open_to_others(options.file);
  return opened;
}

void open_log_anew() {
  if (lines_out) lines_out->open_anew();
}

void stop_logging() {
  lines_out.reset();
  spdlog::shutdown();
}

}  // namespace skanu
