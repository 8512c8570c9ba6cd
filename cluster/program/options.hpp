// The command line, the environment and the configuration file, as a value.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "cluster/program/logging.hpp"
#include "messages/phone.hpp"

namespace skanu {

enum class program_command { serve, audit, events, backup, rebuild, join_stamps, admin };

enum class admin_wish { dead_letters, replay, discard, explain };

/// Options of `skanu admin`.
struct admin_options {
  std::string address = "127.0.0.1";  ///< Address of the node.
  int port = 8088;
  admin_wish wish = admin_wish::dead_letters;
  std::string target;  ///< Id of a dead letter or an order.
};

/// Options of `skanu join-stamps`.
struct join_options {
  phone_country country = korea;
  std::string from, into;  ///< As stored; both empty: every account with another form today.
  bool write = false;
};

struct program_options {
  program_command command = program_command::serve;
  node_options node;
  std::vector<std::string> faults;
  log_options log;
  std::chrono::milliseconds drain{0};  ///< Time from a signal to the last accepted connection.
  std::string data = "./data";         ///< For every command except serve.
  bool deep = false;                   ///< For audit: also counts the values without a checksum.
  std::string backup_to;
  std::optional<service> events_of;
  log_offset events_from = 1;
  bool follow = false;
  join_options join;
  admin_options admin;
  std::vector<std::string> doubts;  ///< Words about unknown variables.
};

/// The program's options, or nullopt with the exit status after help or a line on standard error.
struct parsed_options {
  std::optional<program_options> options;
  int exit_status = 0;
};

parsed_options parse_options(int argc, const char* const* argv);

}  // namespace skanu
