// Owns the connection to one peer: dials, recognises, watches, and begins anew.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "actors/operations/backoff.hpp"
#include "cluster/peers/peer_interfaces.hpp"
#include "cluster/protocol/handshake.hpp"
#include "cluster/protocol/membership.hpp"

namespace skanu {

struct peer_session_limits {
  std::chrono::milliseconds alive_every{250};
  /// A peer that said nothing for so long is taken for frozen or cut off.
  std::chrono::milliseconds silence{1'500};
  /// … and after so long it is let go of, so that it or another run of it can come anew.
  std::chrono::milliseconds let_go{3'000};
  std::chrono::milliseconds handshake{1'000};  ///< For each of its steps.
  backoff_settings dial{std::chrono::milliseconds{50}, std::chrono::milliseconds{500}};
  /// Of two nodes the one whose name sorts first dials; the other only where it did not in this
  /// time, since CAF can confuse two connections that both make at once.
  std::chrono::milliseconds yield{1'000};
  /// A peer's clock may differ by so much; more is said once it was so for `clock_patience`, since
  /// what was long on its way looks old.
  std::chrono::milliseconds clock_tolerance{2'000}, clock_patience{3'000};
};

struct node_identity {
  std::string node;               ///< This node's name.
  std::uint64_t incarnation = 0;  ///< Of this run of it.
  std::string secret;             ///< The cluster's.
  std::shared_ptr<membership> in = std::make_shared<membership>();
  std::function<instant()> wall_clock = wall_clock_now;

  /// This node's hello to a peer, with a nonce of its own.
  hello introduction(std::uint32_t protocol) const;
};

class peer_session final : public peer_session_actor::base {
 public:
  /// Without a connector the peer is waited for.
  peer_session(caf::actor_config& config, node_identity self, std::string peer,
               rpc_client_actor rpc_client, rpc_server_actor rpc_server,
               std::optional<connector_actor> connector, std::shared_ptr<peer_status> status,
               peer_session_limits limits = {});

  const char* name() const override { return "peer_session"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using time_point = std::chrono::steady_clock::time_point;
  struct known_peer {
    peer_handles handles;
    std::uint64_t incarnation = 0;
    std::uint32_t protocol = protocol_version;
  };

  void dial_soon();
  bool may_dial() const;
  void dial();
  void introduce(const acceptor_actor& acceptor);
  void take_hello(const acceptor_actor& acceptor, const hello& own, const std::string& theirs,
                  const std::string& proof);
  void give_reason(const acceptor_actor& acceptor, const hello& acceptors, std::string_view reason);
  void take_proof(const acceptor_actor& acceptor, const hello& own, const hello& acceptors,
                  const std::string& proof, const peer_handles& peer);
  void take_welcome(const peer_handles& peer, const hello& acceptors);
  /// Ends the dial where nobody needs it any more: the peer dialed meanwhile, or this node leaves.
  bool dial_is_idle();
  void refused(const caf::error& why);
  void dial_failed(const std::string& why);

  bool is_from_peer();
  /// Another run of the peer is here and speaks. It is not replaced: two nodes that were given one
  /// name by mistake would drive each other out for ever.
  bool name_is_taken(std::uint64_t incarnation) const;
  void let_in(const known_peer& p, const char* how);
  void hear();
  void say_alive();
  void compare_clocks(instant theirs);
  void arrive();
  void lose(time_point since, const char* why);
  void let_go();
  void forget_peer();
  void sweep();
  time_point now() const { return clock().now(); }

  node_identity self_;
  std::string peer_name_;
  rpc_client_actor rpc_client_;
  rpc_server_actor rpc_server_;
  std::optional<connector_actor> connector_;
  std::shared_ptr<peer_status> status_;
  peer_session_limits limits_;
  std::mt19937_64 random_{std::random_device{}()};
  std::optional<known_peer> peer_;  ///< Let in, and its connection stands as far as is known.
  bool up_ = false;                 ///< It is there, and speaks.
  bool leaving_ = false;
  bool peer_leaves_ = false;
  bool dialing_ = false;  ///< Until the dial that is under way came to its end.
  std::uint32_t speaks_ =
      protocol_version;  ///< When it dials: lower for a acceptor that asks for it.
  int failed_dials_ = 0;
  std::string last_failure_;  ///< Said once, not with each try.
  const char* how_ = "";      ///< It came, for the log.
  time_point dial_at_, heard_;
  std::optional<time_point> clock_off_since_;
  bool clock_off_said_ = false;
};

}  // namespace skanu
