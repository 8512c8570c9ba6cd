// The program's log: structured lines on standard error or in a file.
#pragma once

#include <cstdint>
#include <string>

namespace skanu {

/// Fields as `key=value`, or each line as a JSON object.
enum class log_format : std::uint8_t { text, json };

struct log_options {
  std::string file;  ///< Empty: standard error.
  std::string level = "info";
  log_format format = log_format::text;
  std::string node;  ///< Name of the node in each line; empty without a cluster.
};

/// Installs the process-wide logger. A separate thread writes the lines from a bounded buffer;
/// lines beyond the bound are dropped and counted, so that a slow disk or terminal never delays a
/// request. Throws std::runtime_error if the file cannot be opened, such as a pipe without a
/// reader. Returns the descriptor that the lines go to, the same for the process's life.
int start_logging(const log_options& options);

/// Opens the log's file anew, soon and on the writer's thread, for lines from now on: after a
/// rename (logrotate) the old file gets no more. Without a file, nothing changes. Not to be called
/// beside start_logging() and stop_logging().
void open_log_anew();

/// Writes the queued lines, for a second at most if no reader takes them.
void stop_logging();

}  // namespace skanu
