// Answers one peer's calls from what runs on this node.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <unordered_set>

#include "actors/operations/breaker_display.hpp"
#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

/// What runs on a node, as its peers may use it; a handle is null where the service does not run
/// here.
struct local_services {
  checkout_actor checkout;
  order_region_actor orders;
  payment_region_actor payments;
  delivery_region_actor deliveries;
  stamp_region_actor stamps;
  std::array<event_log_actor, service_count> logs;
  std::array<const store*, service_count> stores{};
  reader_actor item_reader, page_reader;  ///< Apart, since a deep page takes longer than an item.
  const breaker_display* breaker = nullptr;  ///< Where orders are placed.
};

class rpc_server final : public rpc_server_actor::base {
 public:
  static constexpr std::size_t most_calls = 8'192;
  /// That wait for a reader: a peer's front has no more threads than that.
  static constexpr std::size_t most_reads = 512;
  /// A call that was not answered for so long never will be: its answer was lost. It gives its
  /// place back; the peer has long given up.
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
  skanu::command_context request_for(call_number number, request_terms&& terms);

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
  std::uint32_t protocol_ = protocol_version;  ///< That both sides speak.
  int peer_runs_ = 0;                          ///< Changes with the peer's incarnation.
  std::int64_t last_command_ = 0;
  std::map<std::int64_t, call_under_way> under_way_;  ///< By command, the oldest first.
  std::unordered_set<call_number> numbers_;           ///< Of what is under way, reads too.
  std::size_t reads_ = 0;  ///< That readers have, of any run of the peer.
  bool leaving_ = false;
  caf::typed_response_promise<bool> left_;
};

}  // namespace skanu
