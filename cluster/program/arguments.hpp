// The command line's texts as given, and their meaning.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cluster/program/cluster_arguments.hpp"
#include "cluster/program/options.hpp"

namespace skanu {

inline constexpr const char* usual_http = "127.0.0.1:8088";

/// The values as given. Commands share variables: no option of another command is set.
struct arguments {
  program_options options;  ///< Values that need no interpretation.
  bool print_config = false;

  std::string http = usual_http, admin, cors = "own";
  std::string public_url, drain = "0", log_format_word = "text";
  std::string country{options.node.country.name};
  std::vector<std::string> allowed_hosts, trusted_proxies;
  bool trust_network = false;
  std::chrono::milliseconds::rep heartbeat_ms = options.node.streams.heartbeat.count();
  cluster_arguments cluster;

  std::string events_service, join_into;
};

/// Translates the chosen command's texts into the options. Returns the problem of wrong texts, or
/// an empty text.
std::string interpret(arguments& given);

}  // namespace skanu
