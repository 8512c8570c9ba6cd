// Makes a node's calls to one peer, and keeps each until it is answered.
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
  /// Of every call, unless it says an earlier one.
  std::chrono::milliseconds deadline = call_deadline;
  /// So long after the peer was lost its return is waited for; then calls are refused at once.
  std::chrono::milliseconds patience{2'000};
  std::size_t calls = 4'096;  ///< Under way at once, or waiting for its return.
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
    int tries = 0;  ///< That were sent, and not answered with a refusal that changed nothing.
  };

  void make(outgoing_call c);
  caf::result<event_batch> pull(service of, log_query& query);
  void send_to_peer(call_number number, waiting_call& c);
  void take_answer(call_number number, const std::string& bytes);
  void arrive(const peer_arrived& a);
  void lose(time_point since);
  void sweep();
  void start_sweeping();
  void give_up(waiting_call& c);
  bool out_of_patience() const { return !up_ && now() - lost_since_ >= limits_.patience; }
  bool from_peer() const;
  error away() const;
  error unknown() const;
  time_point now() const { return clock().now(); }

  std::string peer_name_;
  rpc_client_limits limits_;
  remote_server_actor peer_;                   ///< What calls go to; kept while the peer is silent.
  std::uint32_t protocol_ = protocol_version;  ///< That both sides speak.
  bool up_ = false;
  time_point lost_since_;
  call_number last_number_ = 0;
  std::map<call_number, waiting_call> calls_;  ///< In the order in which they were made.
  std::array<std::vector<event_log_actor>, service_count> logs_;
  bool sweeping_ = false;
};

}  // namespace skanu
