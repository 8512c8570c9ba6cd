// Stands in front of the payment region where faults were asked for: it delays, refuses or silences
// what the order service asks of payment. Clients' own changes of payments pass untouched.
#pragma once

#include "actors/operations/faults.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// `faults` outlives the actor.
payment_region_actor::behavior_type faulty_payment(payment_region_actor::pointer self,
                                                   payment_region_actor payments,
                                                   fault_plan* faults);

}  // namespace skanu
