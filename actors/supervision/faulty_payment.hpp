// Stands in front of the payment region while payment faults are configured. Delays, refuses or
// silences the order service's open_payment commands; clients' own payment commands pass untouched.
#pragma once

#include "actors/operations/faults.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// `faults` outlives the actor.
payment_region_actor::behavior_type faulty_payment(payment_region_actor::pointer self,
                                                   const payment_region_actor& payments,
                                                   fault_plan* faults);

}  // namespace skanu
