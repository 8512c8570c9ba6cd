// Forgets what need not be remembered any more: the operations of a service whose time is over.
#pragma once

#include "actors/entities/environment.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

using housekeeper_actor = caf::typed_actor<
    // From itself: look again.
    caf::reacts_to<sweep_atom>,
    // The answer to its commit.
    caf::reacts_to<answered>>;

/// Looks at its start and every minute, and every 100 ms while there is much to forget. `env`
/// outlives the actor.
housekeeper_actor::behavior_type housekeeper(housekeeper_actor::pointer self,
                                             const service_environment* env, service of);

}  // namespace skanu
