// Invariant 6: the trace is the fold of the logs up to the view's positions, and the last
// TraceChanged of each trace equals the trace.
#pragma once

#include <array>

#include "actors/audit/audit_consumers.hpp"
#include "actors/audit/audit_stamps.hpp"
#include "actors/audit/audit_states.hpp"
#include "actors/rules/trace_rules.hpp"

namespace skanu {

struct trace_marks {
  row_digest expected;  ///< The history derived from the logs.
  /// Offset of the last TraceChanged; 0: none, as in data of an older program.
  log_offset last_change = 0;
  version_number changed_by = 0;
};

using audited_traces = folded_entities<trace_as_rules, trace_marks>;

/// take() receives every event of the logs followed by the view, each log in order; check() then
/// compares the result with the stored traces.
class trace_audit {
 public:
  explicit trace_audit(const consumer_progress& progress) : progress_(progress) {}

  /// `who` is the view as consumer of the event's log.
  void take(const consumer& who, const logged_event& e);
  void check(const snapshot& from, audit_report& report);

 private:
  const consumer_progress& progress_;
  audited_traces traces_;
};

}  // namespace skanu
