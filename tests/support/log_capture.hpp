// Captures the program's log lines for a test.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace skanu {

/// Captures the log for the object's lifetime.
class log_capture {
 public:
  log_capture() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
    logger->set_level(spdlog::level::info);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;
  ~log_capture() { spdlog::set_default_logger(before_); }

  std::string text() const { return out_.str(); }

  /// The number of lines containing all `parts`.
  template <class... Parts>
  int lines_with(const Parts&... parts) const {
    int n = 0;
    std::istringstream in(text());
    for (std::string line; std::getline(in, line);) n += ((line.find(parts) != line.npos) && ...);
    return n;
  }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream out_;
};

}  // namespace skanu
