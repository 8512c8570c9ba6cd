// Stand-ins for what runs on another node: they look like the local actors, so that nobody who
// talks to a service knows where it runs.
#pragma once

#include <memory>
#include <utility>

#include "actors/supervision/failures.hpp"
#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

/// The answer to a command, from whatever came back for it.
outcome outcome_of(answer_body&& answer);

/// Makes a command's call of its context: the right to answer stays here, the rest travels.
template <class Call>
outgoing_call outgoing(Call call) {
  auto answer = std::exchange(call.with.answer, {});
  const auto until = call.with.until;
  return {std::move(call),
          [answer = std::move(answer)](answer_body a) { answer(outcome_of(std::move(a))); }, until};
}

/// Stands in for the entities of a service.
template <class Command>
typename region_actor<Command>::behavior_type remote_region(
    typename region_actor<Command>::pointer self, const rpc_client_actor& rpc_client) {
  contain_failures(*self);
  return {[=](entity_id id, Command& c, command_context& r) {
    self->send(rpc_client, outgoing(command_call<Command>{id, std::move(c), std::move(r)}));
  }};
}

/// Stands in for the saga that places orders.
checkout_actor::behavior_type remote_checkout(checkout_actor::pointer self,
                                              const rpc_client_actor& rpc_client);

/// Stands in for a service's log: followers here are told when it grows there, and when the
/// connection is back.
event_log_actor::behavior_type remote_log(event_log_actor::pointer self,
                                          const rpc_client_actor& rpc_client, service of);

/// The readers of a service on another node; each function is one call, which blocks for at
/// most the waiting deadline, and throws store_error, with service_away where nobody answers. Any
/// thread.
std::unique_ptr<reading> remote_reading(const rpc_client_actor& rpc_client);

/// The breaker of the node that places orders. Blocks and throws likewise.
circuit_breaker::figures remote_breaker(const rpc_client_actor& rpc_client);

}  // namespace skanu
