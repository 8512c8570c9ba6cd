// The command line, the environment and the configuration file, as one value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/node.hpp"

namespace skanu {

enum class program_command { serve, audit, events, backup };

struct program_options {
  program_command command = program_command::serve;
  node_options node;
  std::vector<std::string> faults;
  std::string log_file;  ///< Empty: standard error.
  std::string log_level = "info";
  std::string data = "./data";  ///< Of audit, events and backup.
  bool deep = false;            ///< Of audit: also say which values have no checksum.
  std::string backup_to;
  std::optional<service> events_of;
  log_offset events_from = 1;
  bool follow = false;
};

/// What the program was told; or the exit status with which it ends at once, after help or one
/// clear line on standard error.
struct parsed_options {
  std::optional<program_options> options;
  int exit_status = 0;
};

parsed_options parse_options(int argc, const char* const* argv);

}  // namespace skanu
