// The command line, the environment and the configuration file, as one value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"

namespace skanu {

enum class program_command { serve, audit, events, backup, rebuild, admin };

enum class admin_wish { dead_letters, replay, discard, explain };

/// Of `skanu admin`.
struct admin_options {
  std::string address = "127.0.0.1";  ///< Of the node that is asked.
  int port = 8088;
  admin_wish wish = admin_wish::dead_letters;
  std::string target;  ///< A dead letter's id, or an order's.
};

struct program_options {
  program_command command = program_command::serve;
  node_options node;
  std::vector<std::string> faults;
  std::string log_file;  ///< Empty: standard error.
  std::string log_level = "info";
  std::string data = "./data";  ///< Of every command but serve.
  bool deep = false;            ///< Of audit: also say which values have no checksum.
  std::string backup_to;
  std::optional<service> events_of;
  log_offset events_from = 1;
  bool follow = false;
  admin_options admin;
};

/// What the program was told; or the exit status with which it ends at once, after help or one
/// clear line on standard error.
struct parsed_options {
  std::optional<program_options> options;
  int exit_status = 0;
};

parsed_options parse_options(int argc, const char* const* argv);

}  // namespace skanu
