// A last line of a crashing process: the signal, the database in use, and advice.
#pragma once

#include <string>

#include "cluster/program/logging.hpp"

namespace skanu {

/// On SIGSEGV, SIGBUS and SIGABRT writes a line in the log's format to the log's descriptor, then
/// lets the signal end the process as by default: exit status and core dump stay. Sanitizers keep
/// their own handlers. `data` is the data directory, `log` the log's descriptor. Call once, before
/// any signal can arrive.
void report_crashes(const std::string& data, const log_options& options, int log);

}  // namespace skanu
