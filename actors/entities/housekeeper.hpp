// The housekeeper erases a service's expired records of operations.
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
    // Timer: looks for expired records.
    caf::reacts_to<sweep_atom>,
    // From the journal: the rows are removed, or an error.
    caf::reacts_to<operations_forgotten>>;

/// Looks 100 ms after the start, then every minute, or every 100 ms while many records are expired.
/// `env` outlives the actor.
housekeeper_actor::behavior_type housekeeper(housekeeper_actor::pointer self,
                                             const service_environment* env, service of);

}  // namespace skanu
