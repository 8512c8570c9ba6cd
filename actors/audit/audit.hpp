// The audit of the invariants, on stored data alone.
//
// Each service's log is folded with the service's own rules, and compared with what the service
// stores (audit_states.hpp); then the services are compared with each other, up to the position of
// each consumer (audit_saga.hpp, audit_stamps.hpp, audit_trace.hpp).
#pragma once

#include "actors/audit/audit_consumers.hpp"
#include "actors/audit/audit_report.hpp"

namespace skanu {

/// Checks one moment of the services that are there. Memory grows with their entities, not with
/// their events: about 1 kB for each order. Throws store_error where they cannot be read.
audit_report audit(const service_cut& cut);

}  // namespace skanu
