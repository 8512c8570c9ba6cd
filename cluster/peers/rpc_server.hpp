// The server answers a peer's calls with the local services.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <unordered_set>

#include "actors/operations/breaker_display.hpp"
#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

/// The local services open to peers. A handle is null if the service runs elsewhere.
struct local_services {
  checkout_actor checkout;
  regions entities;
  std::array<event_log_actor, service_count> logs;
  std::array<const store*, service_count> stores{};
  reader_actor item_reader, page_reader;  ///< Two readers: a deep page takes longer than an item.
  const breaker_display* breaker = nullptr;  ///< On the node of the checkout.
};

class rpc_server final : public rpc_server_actor::base {
 public:
  static constexpr std::size_t most_calls = 8'192;
  /// Limit of reads in the readers' queues; a peer's front has no more threads.
  static constexpr std::size_t most_reads = 512;
  /// Longest duration of a call. The answer of an older call is lost, and the call gives the place
  /// back; the peer has given up by then.
  static constexpr std::chrono::seconds longest{10};

  rpc_server(caf::actor_config& config, local_services services);

  const char* name() const override { return "rpc_server"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void serve(call_number number, const std::string& bytes);
  void reply_with(call_number number, const answer_body& answer);
  void finished();
  void forget_lost_calls();
  /// Counts a change as under way, and gives it the right to answer.
  skanu::command_context admit(call_number number, skanu::command_context&& with);

  void carry_out(call_number number, place_call& c);
  template <class Command>
  void carry_out(call_number number, command_call<Command>& c);
  void carry_out(call_number number, pull_call& c);
  void carry_out(call_number number, breaker_call& c);
  template <class Read>
  void carry_out(call_number number, Read& c);
  void answer_read(call_number number, int asked_by, const std::string& answer);

  struct call_under_way {
    call_number number = 0;
    std::chrono::steady_clock::time_point since;
  };

  local_services services_;
  remote_client_actor peer_;
  std::uint32_t protocol_ = protocol_version;  ///< Version common to both sides.
  int peer_runs_ = 0;                          ///< Changes with each run of the peer.
  std::int64_t last_command_ = 0;
  std::map<std::int64_t, call_under_way> under_way_;  ///< By command, the oldest first.
  std::unordered_set<call_number> numbers_;           ///< Calls under way, reads included.
  std::size_t reads_ = 0;  ///< Reads at the readers, from all runs of the peer.
  bool leaving_ = false;
  caf::typed_response_promise<bool> left_;
};

}  // namespace skanu
