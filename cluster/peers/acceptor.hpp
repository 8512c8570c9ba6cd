// Where peers introduce themselves, and how a node finds another's acceptor.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "cluster/peers/peer_session.hpp"
#include "cluster/protocol/handshake.hpp"
#include "cluster/protocol/refusal_log.hpp"

namespace skanu {

/// A peer's three actors on this node.
struct peer_side {
  peer_session_actor session;
  rpc_client_actor rpc_client;
  rpc_server_actor rpc_server;
};

/// The published actor.
class acceptor final : public acceptor_actor::base {
 public:
  /// Of connectors that have not proved the secret yet: the oldest makes room.
  static constexpr std::size_t most_unproved = 64;

  /// `side_of` gives the actors for a peer of that name, which has proved the secret, made where
  /// they were not there yet; nothing where there are too many.
  acceptor(caf::actor_config& config, node_identity identity,
           std::function<std::optional<peer_side>(const std::string&)> side_of,
           std::chrono::milliseconds handshake = peer_session_limits{}.handshake);

  const char* name() const override { return "acceptor"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct guest {
    peer_handles connector;
    hello connectors, own;
    std::chrono::steady_clock::time_point until;
  };

  caf::result<std::string, std::string> greet(const std::string& theirs,
                                              const peer_handles& connector);
  /// Takes this node's proof and its handles for a guest that is let in.
  using welcome = std::function<void(const std::string& proof, const peer_handles&)>;
  using farewell = std::function<void(caf::error why)>;
  /// Lets the guest of that nonce in where its proof is right, and so is the certificate of whoever
  /// sent it. Calls one of both, once.
  void admit(const caf::strong_actor_ptr& by, const std::string& nonce, const std::string& proof,
             const welcome& let_in, const farewell& turn_away);
  caf::error refuse(const std::string& peer, const std::string& why);

  node_identity identity_;
  std::function<std::optional<peer_side>(const std::string&)> side_of_;
  std::chrono::milliseconds handshake_;
  std::deque<guest> guests_;  ///< Not yet recognised, in the order of their time.
  refusal_log refusals_;
};

struct dial_target {
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
};

/// `reachable` says whether anybody listens at the target. It may block, for as long as the
/// resolver takes to look up a name: the connector runs detached.
///
/// CAF's middleman connects with a blocking call, which an address that swallows packets would hold
/// for minutes, with the connections to all other peers behind it. So it is asked to connect only
/// where a first connection came about in time.
connector_actor::behavior_type connector(connector_actor::pointer self, dial_target target,
                                         std::function<bool()> reachable);

}  // namespace skanu
