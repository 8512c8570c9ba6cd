// Checks the invariants of ARCHITECTURE.md, "Invariants", on stored data alone.
//
// The audit folds each service's log with the service's own rules and compares the result with the
// service's stored documents (audit_states.hpp). Then the audit compares the services with each
// other, up to the position of each consumer (audit_saga.hpp, audit_stamps.hpp, audit_trace.hpp).
#pragma once

#include "actors/audit/audit_consumers.hpp"
#include "actors/audit/audit_report.hpp"

namespace skanu {

/// Checks one moment of the services in the cut. Memory grows with the number of entities, not of
/// events: about 1 kB for each order. Throws store_error where a store cannot be read.
audit_report audit(const service_cut& cut);

}  // namespace skanu
