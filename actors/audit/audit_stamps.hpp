// Invariant 3: the stamps of every account agree with the payments.
#pragma once

#include <string_view>

#include "actors/audit/audit_saga.hpp"
#include "actors/rules/stamp_rules.hpp"

namespace skanu {

/// The sum of the hashes of rows: equal for equal rows in any order.
struct row_digest {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;

  void add(std::string_view key, std::string_view value);
  bool operator==(const row_digest&) const = default;
};

struct stamp_marks {
  row_digest expected;   ///< The ledger's rows, derived from the events.
  row_digest found;      ///< The ledger's rows as stored.
  std::int64_t sum = 0;  ///< The sum of the stored lines.
};

using audited_stamps = folded_entities<stamp_rules, stamp_marks>;

/// The effect of one payment on stamps.
struct stamp_effect {
  entity_id earned_by = 0;  ///< The account; 0: no account earned stamps.
  entity_id taken_from = 0;
  std::int64_t earned = 0;
  std::int64_t taken = 0;  ///< Zero or negative.
};

/// Invariants 2 and 3 of the stamp service.
class stamp_audit {
 public:
  stamp_audit(const snapshot& from, audit_report& report) : from_(from), report_(report) {}

  /// Folds the log, and compares the stored states and ledgers with the fold.
  void check_accounts();
  /// Compares the effects on stamps with the payments.
  void check_payments(const audited_payments& payments, const consumer_progress& progress);

 private:
  void note(entity_id account, const stamp_event& event);
  void check_move(entity_id account, const stamp_event& event);
  void note_lost(const stamps_moved_out& out);
  void check_ledgers();
  void take_row(const stored_row& row);

  const snapshot& from_;
  audit_report& report_;
  audited_stamps accounts_;
  std::unordered_map<entity_id, stamp_effect> effects_;  ///< By payment.
  std::optional<stamps_moved_out> moved_out_;            ///< Has not come in yet.
};

}  // namespace skanu
