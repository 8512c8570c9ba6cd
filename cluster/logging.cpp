#include "cluster/logging.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace skanu {

void start_logging(const std::string& file, const std::string& level) {
  constexpr std::size_t queued_lines = 8'192;
  spdlog::sink_ptr sink;
  try {
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
  } catch (const spdlog::spdlog_ex& problem) {
    throw std::runtime_error(std::string("cannot open the log file: ") + problem.what());
  }
  spdlog::init_thread_pool(queued_lines, 1);
  const auto logger = std::make_shared<spdlog::async_logger>(
      "skanu", sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(logger);
  spdlog::flush_every(std::chrono::seconds(1));
}

void stop_logging() { spdlog::shutdown(); }

}  // namespace skanu
