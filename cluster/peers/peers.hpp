// The other nodes of a cluster, as one node has them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/peers/acceptor.hpp"
#include "cluster/peers/rpc_server.hpp"

namespace skanu {

struct peer_address {
  std::string name;               ///< The node's.
  std::vector<service> services;  ///< That run there.
  std::string host;
  std::uint16_t port = 0;
};

/// Files in PEM form. All three are given, or none: then nodes talk without TLS.
struct tls_files {
  std::string certificate, key, authority;
  bool given() const { return !certificate.empty(); }
};

struct cluster_options {
  std::string name;  ///< This node's; empty where it stands alone.
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< For other nodes; 0 takes a free one.
  std::vector<peer_address> peers;
  std::string secret;
  tls_files tls;
  bool given() const { return !name.empty(); }
};

/// What CAF has to know before its system starts.
void configure(caf::actor_system_config& config, const cluster_options& options);

/// Made before the node's own actors, which need its rpc_clients; started after them. Everything
/// but stop() may be used by any thread once it is started.
class peers {
 public:
  /// Peers that this node was not told of: so many, and each for so long after it was there last.
  static constexpr std::size_t most_strangers = 64;
  static constexpr std::chrono::minutes stranger_kept{1};

  peers(caf::actor_system& system, cluster_options options);
  peers(const peers&) = delete;
  peers& operator=(const peers&) = delete;

  /// Through which the service is reached where it does not run here. A service that no peer was
  /// said to run is away for ever.
  const rpc_client_actor& rpc_client_to(service s) const {
    return callers_[static_cast<std::size_t>(s)];
  }
  /// Whether its node is there; null where nobody was said to run it.
  const peer_status* status_of(service s) const;

  /// The name of the node that is said to run it; empty where nobody is.
  std::string node_of(service s) const;

  /// What this node knows of its cluster; before start().
  void join(std::shared_ptr<membership> cluster) { identity_.in = std::move(cluster); }

  /// Opens the acceptor and begins to dial. Throws std::system_error where the port cannot be
  /// opened.
  void start(local_services here);
  std::uint16_t port() const { return port_; }

  /// The actors for a peer of that name, which has proved itself. A stranger's are made where there
  /// is room; nothing where there is none, or this node leaves.
  std::optional<peer_side> side_of(const std::string& name);

  /// Tells every peer that this node leaves, and waits until what they asked of it is done, for
  /// `limit` at most.
  void leave(std::chrono::milliseconds limit);
  /// Ends every actor of this.
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

  void start(peer& p, std::optional<connector_actor> by);
  static void end(peer& p);
  bool room_for_a_stranger();
  std::uint16_t publish();

  caf::actor_system& system_;
  cluster_options options_;
  node_identity identity_;
  local_services here_;
  mutable std::mutex mutex_;  ///< Peers that nobody told of come while others are looked up.
  std::map<std::string, std::unique_ptr<peer>> peers_;
  bool leaving_ = false;  ///< Nobody new is let in, whom no one would end.
  std::array<rpc_client_actor, service_count> callers_;
  std::vector<caf::actor> others_;  ///< Readers, connectors, and rpc_clients to nobody.
  acceptor_actor acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace skanu
