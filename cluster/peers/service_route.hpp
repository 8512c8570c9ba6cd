// A route to a service without a configured node: the node is found by a handshake.
#pragma once

#include <vector>

#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

using route_atom = caf::atom_constant<caf::atom("route")>;

using service_route_actor = rpc_client_actor::extend<
    // Sends further calls through this client.
    caf::reacts_to<route_atom, rpc_client_actor>>;

/// Hands calls to the client of the node found last. Before, and after the end of that client, the
/// calls go to `nowhere`, a client without a peer, which refuses them.
class service_route final : public service_route_actor::base {
 public:
  service_route(caf::actor_config& config, rpc_client_actor nowhere);

  const char* name() const override { return "service_route"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void turn_to(const rpc_client_actor& client);

  rpc_client_actor nowhere_, to_;
  struct follower {
    service of;
    event_log_actor log;
  };
  std::vector<follower> followers_;  ///< Followers of the service's log, told to each new client.
};

}  // namespace skanu
