// Where peers introduce themselves, and how a node finds another's door.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "cluster/handshake.hpp"
#include "cluster/link.hpp"
#include "cluster/refusal_log.hpp"

namespace skanu {

/// A peer's three actors on this node.
struct peer_side {
  link_actor link;
  caller_actor caller;
  servant_actor servant;
};

/// The published actor.
class door final : public door_actor::base {
 public:
  /// Of dialers that have not proved the secret yet: the oldest makes room.
  static constexpr std::size_t most_unproved = 64;

  /// `side_of` gives the actors for a peer of that name, which has proved the secret, made where
  /// they were not there yet; nothing where there are too many.
  door(caf::actor_config& config, link_identity identity,
       std::function<std::optional<peer_side>(const std::string&)> side_of,
       std::chrono::milliseconds handshake = link_limits{}.handshake);

  const char* name() const override { return "door"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  struct guest {
    peer_handles dialer;
    hello dialers, own;
    std::chrono::steady_clock::time_point until;
  };

  caf::result<std::string, std::string> greet(const std::string& theirs,
                                              const peer_handles& dialer);
  /// Takes this node's proof and its handles for a guest that is let in.
  using welcome = std::function<void(const std::string& proof, const peer_handles&)>;
  using farewell = std::function<void(caf::error why)>;
  /// Lets the guest of that nonce in where its proof is right, and so is the certificate of whoever
  /// sent it. Calls one of both, once.
  void admit(const caf::strong_actor_ptr& by, const std::string& nonce, const std::string& proof,
             const welcome& let_in, const farewell& turn_away);
  caf::error refuse(const std::string& peer, const std::string& why);

  link_identity identity_;
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
/// resolver takes to look up a name: the dialer runs detached.
///
/// CAF's middleman connects with a blocking call, which an address that swallows packets would hold
/// for minutes, with the connections to all other peers behind it. So it is asked to connect only
/// where a first connection came about in time.
dialer_actor::behavior_type dialer(dialer_actor::pointer self, dial_target target,
                                   std::function<bool()> reachable);

}  // namespace skanu
