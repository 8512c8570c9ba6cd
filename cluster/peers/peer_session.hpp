// The session owns the connection to a peer, and dials, recognises, watches and redials the peer.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "actors/operations/backoff.hpp"
#include "cluster/peers/peer_interfaces.hpp"
#include "cluster/protocol/handshake.hpp"
#include "cluster/protocol/membership.hpp"

namespace skanu {

struct peer_session_limits {
  std::chrono::milliseconds alive_every{250};
  /// Longest silence of a live peer. A peer silent for longer counts as frozen or cut off.
  std::chrono::milliseconds silence{1'500};
  /// Silence before the session drops the peer, to make room for a new connection or a new run of
  /// the peer.
  std::chrono::milliseconds let_go{3'000};
  std::chrono::milliseconds handshake{1'000};  ///< For each step of the handshake.
  backoff_settings dial{std::chrono::milliseconds{50}, std::chrono::milliseconds{500}};
  /// Extra wait of the node later in the order of names before a first dial: CAF can confuse two
  /// connections opened at once from both sides.
  std::chrono::milliseconds yield{1'000};
  /// Tolerated difference between the clocks of both nodes. The session logs a larger difference
  /// only once the difference has lasted `clock_tolerated_for`, because a delayed message makes a
  /// clock look late.
  std::chrono::milliseconds clock_tolerance{2'000}, clock_tolerated_for{3'000};
};

struct node_identity {
  std::string node;               ///< Name of the node.
  std::uint64_t incarnation = 0;  ///< Identifies the current run of the node.
  std::string secret;             ///< The cluster's secret.
  std::shared_ptr<membership> in = std::make_shared<membership>();
  std::function<instant()> wall_clock = wall_clock_now;
  std::vector<service> services = {};  ///< Services of the node.
  /// Called with each proved peer's configured name and hello, before the peer's session admits the
  /// peer; on the thread of the session or the acceptor.
  std::function<void(const std::string& peer, const hello&)> on_proved = {};

  /// Returns the node's hello to a peer, with a new nonce.
  hello introduction(std::uint32_t protocol) const;
};

/// Identifies the node at the other end of a session: by name, or else by the services configured.
struct expected_peer {
  std::string name;
  std::vector<service> services = {};

  /// True for the hello of this peer.
  bool is(const hello& node) const {
    return node.name == name || (!services.empty() && runs(node, services));
  }
};

class peer_session final : public peer_session_actor::base {
 public:
  /// Waits for the peer's dial if there is no connector. `seed` is for the pauses between dials.
  peer_session(caf::actor_config& config, node_identity self, expected_peer peer,
               rpc_client_actor rpc_client, rpc_server_actor rpc_server,
               std::optional<connector_actor> connector, std::shared_ptr<peer_status> status,
               std::uint64_t seed, peer_session_limits limits = {});

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
  /// A dial's handshake under way.
  struct greeting {
    acceptor_actor acceptor;
    std::string own;     ///< The local hello, encoded.
    std::string theirs;  ///< The acceptor's hello, encoded.
    hello said = {};     ///< The acceptor's hello.
  };
  void take_hello(greeting g, const std::string& proof);
  bool is_named_by_certificate(const greeting& g);
  void give_reason(const greeting& g, std::string_view reason);
  void take_proof(const greeting& g, const std::string& proof, const peer_handles& peer);
  void take_welcome(const greeting& g, const peer_handles& peer);
  /// Ends the dial if the peer has dialed meanwhile or the node leaves.
  bool dial_is_idle();
  void refused(const caf::error& why);
  void dial_failed(const std::string& why);

  bool is_from_peer();
  /// True if another run of the peer is connected and not silent. Such a run stays: two nodes with
  /// the same name by mistake would otherwise drive each other out for ever.
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
  expected_peer expected_;
  rpc_client_actor rpc_client_;
  rpc_server_actor rpc_server_;
  std::optional<connector_actor> connector_;
  std::shared_ptr<peer_status> status_;
  peer_session_limits limits_;
  std::mt19937_64 random_;
  std::optional<known_peer> peer_;  ///< Admitted, with an open connection.
  bool up_ = false;                 ///< The peer is connected and not silent.
  bool leaving_ = false;
  bool peer_leaves_ = false;
  bool dialing_ = false;                     ///< A dial has not ended yet.
  std::uint32_t speaks_ = protocol_version;  ///< For dials; lower for an older acceptor.
  int failed_dials_ = 0;
  std::string last_failure_;  ///< Logged once, not with each try.
  const char* how_ = "";      ///< Cause of the arrival, for the log.
  time_point dial_at_, heard_;
  std::optional<time_point> clock_off_since_;
  bool clock_off_said_ = false;
};

}  // namespace skanu
