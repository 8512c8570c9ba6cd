// Forgets what need not be remembered any more: the operations of a service whose time is over.
#pragma once

#include "actors/entities/environment.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct operations_forgotten {
  bool more = false;  ///< There may be more to forget.
  outcome result = {};
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::operations_forgotten)

namespace skanu {

using housekeeper_actor = caf::typed_actor<
    // From itself: look again.
    caf::reacts_to<sweep_atom>,
    // From the journal: its rows are removed, or not.
    caf::reacts_to<operations_forgotten>>;

/// Looks at its start and every minute, and every 100 ms while there is much to forget. `env`
/// outlives the actor.
housekeeper_actor::behavior_type housekeeper(housekeeper_actor::pointer self,
                                             const service_environment* env, service of);

}  // namespace skanu
