// A service's event log answers the pulls of followers, and hints at new events.
#pragma once

#include "actors/entities/environment.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// Serves durable events only. `env` outlives the actor.
event_log_actor::behavior_type event_log(event_log_actor::pointer self,
                                         const service_environment* env, service of);

/// The order service's log also tells checkout of each reader whose last event the log lacks: the
/// ids of lost orders must not be given again.
event_log_actor::behavior_type order_log(event_log_actor::pointer self,
                                         const service_environment* env,
                                         const checkout_actor& checkout);

}  // namespace skanu
