// The connections of a node to the other nodes of a cluster.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/operations/randomness.hpp"
#include "cluster/peers/acceptor.hpp"
#include "cluster/peers/rpc_server.hpp"
#include "cluster/peers/service_route.hpp"
#include "cluster/peers/transport.hpp"

namespace skanu {

/// Created before the node's actors, for the sake of the rpc_clients, and started after the actors.
/// After start(), any thread may call every function except stop().
class peers {
 public:
  /// Limit of strangers (peers missing in the configuration), and the time before an absent
  /// stranger loses the place.
  static constexpr std::size_t most_strangers = 64;
  static constexpr std::chrono::minutes stranger_kept{1};

  /// `by` and `seeds` must outlive the object.
  peers(caf::actor_system& system, cluster_options options, transport& by, seed_source& seeds,
        std::function<instant()> wall_clock = wall_clock_now);
  peers(const peers&) = delete;
  peers& operator=(const peers&) = delete;

  /// Returns the client for calls to a service of another node. Without a configured node, calls go
  /// to the node found by its handshake, and fail with service_away before that.
  const rpc_client_actor& rpc_client_to(service s) const {
    return clients_[static_cast<std::size_t>(s)];
  }
  /// Returns the status of the service's node, configured or found; null without such a node.
  std::shared_ptr<const peer_status> status_of(service s) const;

  /// Returns the configured name of the service's node, or the name found; empty without a node.
  std::string node_of(service s) const;

  /// Sets the knowledge of the cluster. Call before start().
  void join(std::shared_ptr<membership> cluster) { identity_.in = std::move(cluster); }

  /// Opens the acceptor's port and starts to dial. Throws std::system_error if the port cannot be
  /// opened. Without a cluster the call has no effect.
  void start(local_services here);
  std::uint16_t port() const { return port_; }

  /// Returns the actors for a peer with a proved secret, and creates a stranger's actors. Returns
  /// nullopt if the limit of strangers is reached or the node leaves.
  std::optional<peer_side> side_of(const hello& of);

  /// Announces the leave to every peer, and waits up to `limit` for the end of the peers' calls.
  void leave(std::chrono::milliseconds limit);
  /// Ends all actors of the peers.
  void stop();

 private:
  struct peer {
    peer_address address;
    rpc_client_actor rpc_client;
    rpc_server_actor rpc_server;
    peer_session_actor session;
    std::shared_ptr<peer_status> status = std::make_shared<peer_status>();
    bool stranger = false;
  };

  peer* configured_for(const hello& of);
  void take_note(const std::string& name, const hello& said);
  void start(peer& p, std::optional<connector_actor> by);
  static void end(peer& p);
  bool room_for_a_stranger();

  caf::actor_system& system_;
  cluster_options options_;
  transport& by_;
  seed_source& seeds_;
  node_identity identity_;
  local_services here_;
  /// Guards `peers_`, `found_` and `leaving_`: strangers come while others read.
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<peer>> peers_;
  /// Names of the peers found to run a service without a configured node.
  std::array<std::string, service_count> found_;
  bool leaving_ = false;  ///< Admits no new peer: stop() would miss the actors.
  std::array<rpc_client_actor, service_count> clients_;
  std::array<service_route_actor, service_count> routes_;  ///< For services without a node.
  /// Connectors, and clients of services without a node.
  std::vector<caf::actor> others_;
  acceptor_actor acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace skanu
