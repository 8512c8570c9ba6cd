// The program's log: structured lines on standard error or in a file.
#pragma once

#include <string>

namespace skanu {

/// Installs the process-wide logger. A separate thread writes the lines from a bounded buffer;
/// lines beyond the bound are dropped and counted, so that a slow disk or terminal never delays a
/// request. The lines of a node in a cluster contain the node's name. Throws std::runtime_error if
/// the file cannot be opened. Returns the descriptor that the lines go to.
int start_logging(const std::string& file, const std::string& level, const std::string& node);

/// Writes the queued lines, for a second at most if no reader takes them.
void stop_logging();

}  // namespace skanu
