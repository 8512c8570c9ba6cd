// Invariant 3: every stamp is accounted for.
#pragma once

#include <string_view>

#include "actors/audit/audit_saga.hpp"
#include "actors/rules/stamp_rules.hpp"

namespace skanu {

/// The sum of the hashes of rows: equal for equal rows in whatever order they come.
struct row_digest {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;

  void add(std::string_view key, std::string_view value);
  bool operator==(const row_digest&) const = default;
};

struct stamp_marks {
  row_digest expected;   ///< The ledger's rows as the events make them.
  row_digest found;      ///< As they are stored.
  std::int64_t sum = 0;  ///< Of the stored lines.
};

using audited_stamps = folded_entities<stamp_rules, stamp_marks>;

/// What one payment did to stamps.
struct stamp_effect {
  entity_id earned_by = 0;  ///< The account; 0: none earned.
  entity_id taken_from = 0;
  std::int64_t earned = 0;
  std::int64_t taken = 0;  ///< Not positive.
};

/// Invariants 2 and 3 of the stamp service.
class stamp_audit {
 public:
  stamp_audit(const snapshot& from, audit_report& report) : from_(from), report_(report) {}

  /// Folds the log and compares states and ledgers with it.
  void check_accounts();
  /// Compares what payments did to stamps with the payments.
  void check_payments(const audited_payments& payments, const consumer_progress& progress);

 private:
  void note(entity_id account, const stamp_event& event);
  void check_ledgers();
  void take_row(const stored_row& row);

  const snapshot& from_;
  audit_report& report_;
  audited_stamps accounts_;
  std::unordered_map<entity_id, stamp_effect> effects_;  ///< By payment.
};

}  // namespace skanu
