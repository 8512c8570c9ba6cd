// The acceptor admits dialing peers.
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

/// The three local actors for a peer, and the peer's name in the configuration; a stranger's own.
struct peer_side {
  peer_session_actor session;
  rpc_client_actor rpc_client;
  rpc_server_actor rpc_server;
  std::string name = {};
};

/// The published actor for introductions of peers.
class acceptor final : public acceptor_actor::base {
 public:
  /// Limit of connectors without a proof of the secret. A further hello evicts the oldest.
  static constexpr std::size_t most_unproved = 64;

  /// `side_of` returns the actors for a peer with a proved secret, and creates the actors of a new
  /// peer. Returns nullopt while the node leaves or has too many strangers.
  acceptor(caf::actor_config& config, node_identity identity,
           std::function<std::optional<peer_side>(const hello&)> side_of,
           std::chrono::milliseconds handshake = peer_session_limits{}.handshake);

  const char* name() const override { return "acceptor"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct guest {
    peer_handles connector;
    std::string connectors, own;  ///< Both hellos, encoded.
    hello said, answered;         ///< The same, decoded.
    std::chrono::steady_clock::time_point until;
  };

  caf::result<std::string, std::string> greet(const std::string& theirs,
                                              const peer_handles& connector);
  /// Takes the node's proof and handles for an admitted guest.
  using welcome = std::function<void(const std::string& proof, const peer_handles&)>;
  using farewell = std::function<void(caf::error why)>;
  /// Admits the guest with the nonce if the proof is right and the sender's certificate names the
  /// guest. Calls either `let_in` or `turn_away`, once, perhaps after the return.
  void admit(const caf::strong_actor_ptr& by, const std::string& nonce, const std::string& proof,
             const welcome& let_in, const farewell& turn_away);
  caf::error refuse(const std::string& peer, const std::string& why);

  node_identity identity_;
  std::function<std::optional<peer_side>(const hello&)> side_of_;
  std::chrono::milliseconds handshake_;
  std::deque<guest> guests_;  ///< Without a proof yet, ordered by `until`.
  refusal_log refusals_;
};

}  // namespace skanu
