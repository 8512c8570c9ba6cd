// A node's place in its cluster: its name, its port for other nodes, and the nodes that it dials.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

struct peer_address {
  std::string name;               ///< Name of the node.
  std::vector<service> services;  ///< Services of the node.
  std::string host;
  std::uint16_t port = 0;
};

/// Paths of files in PEM form. Either all three are given or none; without files, nodes talk
/// without TLS.
struct tls_files {
  std::string certificate, key, authority;
  bool given() const { return !certificate.empty(); }
};

struct cluster_options {
  std::string name;                    ///< Empty for a node without a cluster.
  std::vector<service> services = {};  ///< Services of this node.
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< For other nodes; 0 takes a free port.
  std::vector<peer_address> peers;
  std::string secret;
  tls_files tls;
  bool given() const { return !name.empty(); }
};

}  // namespace skanu
