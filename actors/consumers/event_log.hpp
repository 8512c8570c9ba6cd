// A service's event log for its followers: answers pulls, and hints when there is more.
#pragma once

#include "actors/entities/environment.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// Reads only what is durable. `env` outlives the actor.
event_log_actor::behavior_type event_log(event_log_actor::pointer self,
                                         const service_environment* env, service of);

/// The order service's log. Checkout hears of each reader whose last event the log lacks: the ids
/// of lost orders must not be given again.
event_log_actor::behavior_type order_log(event_log_actor::pointer self,
                                         const service_environment* env,
                                         const checkout_actor& checkout);

}  // namespace skanu
