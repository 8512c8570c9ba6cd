// The transport connects a node's acceptor and sessions with other nodes: CAF's broker in the
// program, cables in tests.
#pragma once

#include <cstdint>

#include "cluster/peers/peer_interfaces.hpp"
#include "cluster/protocol/cluster_options.hpp"

namespace skanu {

class transport {
 public:
  virtual ~transport() = default;
  /// Returns a new actor that connects to the acceptor of the peer.
  virtual connector_actor connector_to(const peer_address& peer) = 0;
  /// Opens the node's port for connectors of other nodes, and returns the port. Throws
  /// std::system_error if the port cannot be opened.
  virtual std::uint16_t publish(const acceptor_actor& acceptor) = 0;
  /// Accepts no more connections. Call before the acceptor ends.
  virtual void unpublish(const acceptor_actor& acceptor, std::uint16_t port) = 0;
};

}  // namespace skanu
