// What the command line says of this node's place in a cluster.
#pragma once

#include <string>
#include <vector>

#include "cluster/node/node.hpp"

namespace CLI {
class App;
}

namespace skanu {

/// As they were given; every one has an environment variable as well.
struct cluster_arguments {
  std::string services = "order,payment,delivery,ordertrace,stamp,gateway";
  std::string name;
  std::string address = "127.0.0.1:0";
  std::vector<std::string> peers;
  std::string secret_file;
  tls_files tls;
  bool without_tls = false;

  /// The options of `serve`. This outlives the app.
  void add_to(CLI::App& serve);
};

/// Puts what they mean into `node`; says what is wrong with them, or nothing.
std::string interpret(const cluster_arguments& given, node_options& node);

}  // namespace skanu
