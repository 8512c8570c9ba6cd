// The options of the command line for a node in a cluster.
#pragma once

#include <string>
#include <vector>

#include "cluster/node/node.hpp"

namespace CLI {
class App;
}

namespace skanu {

/// The values as given. Every option also has an environment variable.
struct cluster_arguments {
  std::string services = "order,payment,delivery,ordertrace,stamp,gateway";
  std::string name;
  std::string address = "127.0.0.1:0";
  std::vector<std::string> peers;
  std::string secret_file;
  tls_files tls;
  bool without_tls = false;

  /// Adds the options to `serve`. The arguments must outlive the app.
  void add_to(CLI::App& serve);
};

/// Translates the values into `node`. Returns the problem of wrong values; empty for right values.
std::string interpret(const cluster_arguments& given, node_options& node);

}  // namespace skanu
