// Owns the connection to one peer: dials, recognises, watches, and begins anew.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "actors/backoff.hpp"
#include "cluster/handshake.hpp"
#include "cluster/links.hpp"

namespace skanu {

struct link_limits {
  std::chrono::milliseconds alive_every{250};
  /// A peer that said nothing for so long is taken for frozen or cut off.
  std::chrono::milliseconds silence{1'500};
  std::chrono::milliseconds handshake{1'000};
  backoff_settings dial{std::chrono::milliseconds{50}, std::chrono::milliseconds{500}};
  /// Of two nodes the one whose name sorts first dials; the other only where it did not in this time,
  /// since CAF can confuse two connections that both make at once.
  std::chrono::milliseconds yield{1'000};
};

struct link_identity {
  std::string node;               ///< This node's name.
  std::uint64_t incarnation = 0;  ///< Of this run of it.
  std::string secret;             ///< The cluster's.
};

class link final : public link_actor::base {
 public:
  /// Without a dialer the peer is waited for. `status` outlives the link.
  link(caf::actor_config& config, link_identity self, std::string peer, caller_actor caller,
       servant_actor servant, std::optional<dialer_actor> dialer, peer_status& status,
       link_limits limits = {});

  const char* name() const override { return "link"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using time_point = std::chrono::steady_clock::time_point;
  struct offer {
    peer_handles dialer;
    hello dialers, own;
  };

  void take_offer(const peer_offer& o);
  void take_proof(const std::string& proof);
  void dial();
  void introduce(const door_actor& door);
  void prove(const hello& own, const hello& door, const peer_handles& peer);
  void take_welcome(const hello& own, const std::string& theirs, const std::string& proof,
                    const peer_handles& peer);
  void watch(const peer_handles& peer);
  void arrive(const peer_handles& peer, const char* how);
  void lose(time_point since, const char* why);
  void gone();
  void sweep();
  bool may_dial() const;
  void dial_failed(const std::string& why);
  peer_handles own_handles();
  time_point now() const { return clock().now(); }

  link_identity self_;
  std::string peer_name_;
  caller_actor caller_;
  servant_actor servant_;
  std::optional<dialer_actor> dialer_;
  peer_status& status_;
  link_limits limits_;
  std::mt19937_64 random_{std::random_device{}()};
  std::optional<peer_handles> peer_;  ///< Recognised, and its connection stands.
  std::optional<offer> offer_;        ///< At our door, not yet recognised.
  bool up_ = false;                   ///< It is there, and speaks.
  bool proving_ = false;              ///< Our proof is on its way: it does not take our calls yet.
  bool leaving_ = false;
  bool peer_leaves_ = false;
  bool dialing_ = false;
  int failed_dials_ = 0;
  std::string last_failure_;  ///< Said once, not with each try.
  time_point dial_at_, heard_;
};

}  // namespace skanu
