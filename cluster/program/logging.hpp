// The program's log: structured lines, to standard error or a file.
#pragma once

#include <string>

namespace skanu {

/// Sets up the one logger. Lines are gathered in a bounded buffer and written by a thread of their
/// own; the rest is dropped and counted, so that a slow disk or terminal never holds up a request.
/// A node of a cluster has its name in every line. Throws std::runtime_error where the file cannot
/// be opened.
void start_logging(const std::string& file, const std::string& level, const std::string& node);

/// Writes what is still queued, unless nobody takes it for a second.
void stop_logging();

}  // namespace skanu
