// The client sends a node's calls to a peer, and keeps each call until the answer comes.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "cluster/peers/peer_interfaces.hpp"
#include "messages/deadlines.hpp"

namespace skanu {

struct rpc_client_limits {
  /// Deadline of a call, unless the call has an earlier deadline.
  std::chrono::milliseconds deadline = call_deadline;
  /// Wait for the peer's return after a loss; calls then fail at once.
  std::chrono::milliseconds return_timeout{2'000};
  std::size_t calls = 4'096;  ///< Under way, or waiting for the peer's return.
  std::chrono::milliseconds sweep{20};
};

class rpc_client final : public rpc_client_actor::base {
 public:
  rpc_client(caf::actor_config& config, std::string peer, rpc_client_limits limits = {});

  const char* name() const override { return "rpc_client"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using time_point = std::chrono::steady_clock::time_point;
  struct waiting_call {
    outgoing_call call;
    time_point until;
    int tries = 0;  ///< Sends, without the refusals of a leaving peer.
  };

  void follow(service of, const event_log_actor& log);
  void make(outgoing_call c);
  caf::result<event_batch> pull(service of, log_query& query);
  void send_to_peer(call_number number, waiting_call& c);
  void take_answer(call_number number, const std::string& bytes);
  void arrive(const peer_arrived& a);
  void lose(time_point since);
  void sweep();
  void start_sweeping();
  void give_up(waiting_call& c);
  bool peer_is_gone() const { return !up_ && now() - lost_since_ >= limits_.return_timeout; }
  bool from_peer() const;
  error away() const;
  error unknown() const;
  time_point now() const { return clock().now(); }

  std::string peer_name_;
  rpc_client_limits limits_;
  remote_server_actor peer_;  ///< Destination of calls; kept while the peer is silent.
  std::uint32_t protocol_ = protocol_version;  ///< Version common to both sides.
  bool up_ = false;
  time_point lost_since_;
  call_number last_number_ = 0;
  std::map<call_number, waiting_call> calls_;  ///< In the order of creation.
  std::array<std::vector<event_log_actor>, service_count> logs_;
  bool sweeping_ = false;
};

}  // namespace skanu
