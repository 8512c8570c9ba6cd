// Invariant 6: the trace is what the logs say, up to where the view has read them, and the view's
// own log ends in what the trace shows.
#pragma once

#include <array>

#include "actors/audit/audit_consumers.hpp"
#include "actors/audit/audit_stamps.hpp"
#include "actors/audit/audit_states.hpp"
#include "actors/rules/trace_rules.hpp"

namespace skanu {

struct trace_marks {
  row_digest expected;         ///< The history as the logs make it.
  log_offset last_change = 0;  ///< Of its TraceChanged; 0: an older program kept no such log.
  version_number changed_by = 0;
};

using audited_traces = folded_entities<trace_as_rules, trace_marks>;

/// Is told of every event of the logs that the view follows, each log in its order; then compares.
class trace_audit {
 public:
  explicit trace_audit(const consumer_progress& progress) : progress_(progress) {}

  /// `who` is the view in the log of that event.
  void take(const consumer& who, const logged_event& e);
  void check(const snapshot& from, audit_report& report);

 private:
  const consumer_progress& progress_;
  audited_traces traces_;
};

}  // namespace skanu
