// The log's file, the bounded buffer before the file, and the writing thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <spdlog/common.h>

namespace skanu {

/// Opens the file for appending, made for its owner alone. A pipe without a reader is refused with
/// ENXIO, and a full pipe refuses a line with EAGAIN: neither opening nor writing waits for a
/// reader. Returns -1 and sets errno on failure.
int open_log(const std::string& path);

/// Collects lines in memory for a writer thread. The thread writes at most every 100 ms, but at
/// once after hurry(): a logging thread never waits for the file and rarely wakes another thread.
/// Lines beyond `bound` bytes are dropped, as are lines refused by the file; the number of lost
/// lines is logged. All functions are for any thread.
class log_writer {
 public:
  static constexpr std::size_t bound = 4 << 20;
  static constexpr std::chrono::seconds patience_at_the_end{1};

  /// Makes a whole line of the writer's own words; called on the writer's thread alone.
  using line_maker = std::function<std::string(spdlog::level::level_enum, std::string_view)>;

  /// Starts the thread. `path` is the file's, or empty for a descriptor without a file to open
  /// anew.
  static std::shared_ptr<log_writer> start(int file, std::string path, line_maker own_line);

  /// Use start().
  log_writer(int file, std::string path, line_maker own_line);

  void add(std::string_view line);
  void hurry();

  /// Lines from now on go to the path's file of then. No line is lost or divided.
  void open_anew();

  /// Writes the collected lines, for patience_at_the_end at most. A thread held by a write for
  /// longer is left alone. No line may be added any more.
  void stop();

 private:
  using duration = std::chrono::steady_clock::duration;

  void run();
  std::string renew_file();
  std::int64_t write_all(std::string_view lines);

  const int file_;
  const std::string path_;
  const line_maker own_line_;
  std::atomic<duration> give_up_at_ = duration::max();
  bool torn_ = false;  ///< The file's last line has no end; of the writer's thread.

  std::mutex mutex_;
  std::condition_variable wake_, ended_;
  std::string gathered_;
  std::int64_t lost_ = 0;
  bool urgent_ = false;
  bool stopping_ = false;
  bool renewing_ = false;
  bool has_ended_ = false;
};

}  // namespace skanu
