#include "cluster/program/logging.hpp"

#include <cerrno>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "cluster/program/log_json.hpp"
#include "cluster/program/log_writer.hpp"
#include "persistence/files/new_files.hpp"

namespace skanu {

namespace {

/// Hands lines to the writer.
class writer_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit writer_sink(std::shared_ptr<log_writer> writer) : writer_(std::move(writer)) {}
  ~writer_sink() override { writer_->stop(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_->add({line.data(), line.size()});
  }

  void flush_() override { writer_->hurry(); }

 private:
  const std::shared_ptr<log_writer> writer_;
};

/// Writes each line as a JSON object.
class json_formatter final : public spdlog::formatter {
 public:
  explicit json_formatter(std::string node) : node_(std::move(node)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t head;
    head_.format(message, head);
    line_.assign(head.data(), head.size());
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

log_writer::line_maker line_maker_for(const log_options& options) {
  return [formatter = std::shared_ptr(formatter_for(options))](spdlog::level::level_enum level,
                                                               std::string_view text) {
    spdlog::memory_buf_t line;
    formatter->format({"skanu", level, {text.data(), text.size()}}, line);
    return std::string(line.data(), line.size());
  };
}

std::string reason_of(int opening) {
  return opening == ENXIO ? "nobody reads this pipe" : std::system_category().message(opening);
}

/// The writer of the process's logger, between start and stop of the log.
std::shared_ptr<log_writer> lines_out;

}  // namespace

int start_logging(const log_options& options) {
  int opened = STDERR_FILENO;
  if (!options.file.empty()) {
    opened = open_log(options.file);
    if (opened < 0)
      throw std::runtime_error("cannot open the log file " + options.file + ": " +
                               reason_of(errno));
  }
  lines_out = log_writer::start(opened, options.file, line_maker_for(options));
  const auto logger =
      std::make_shared<spdlog::logger>("skanu", std::make_shared<writer_sink>(lines_out));
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
