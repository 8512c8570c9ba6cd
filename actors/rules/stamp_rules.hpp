// The rules of a stamp account: pure functions, no actor. Rows beside the account form the ledger;
// the caller looks up the rows for a decision.
#pragma once

#include <functional>
#include <string_view>

#include "actors/rules/decision.hpp"
#include "messages/stamp.hpp"
#include "persistence/store.hpp"

namespace skanu {

struct stamp_rules {
  using state = stamp_state;
  using command = stamp_command;
  using event = stamp_event;
  static constexpr service of = service::stamp;

  /// The ledger's entries of the payment in a command.
  struct decision_context {
    std::optional<std::int64_t> earned;  ///< Stamps earned by the payment, if any.
    bool deducted = false;               ///< Taken back, or unable to earn.
  };

  using row_lookup = std::function<std::optional<std::string>(std::string_view key)>;
  /// Looks up the ledger's entries for decide().
  static decision_context gather(entity_id account, const command& c, const row_lookup& row);

  static decision<event> decide(const state& s, const command& c, entity_id account,
                                const decision_context& known);
  static void apply(state& s, const event& e);

  /// Returns the ledger's rows of an event: the visible line, and a unique key against a repeat.
  static std::vector<row_write> rows(entity_id account, const event& e, version_number version,
                                     std::string_view timestamp);
  /// Returns the prefix of the rows of an account's visible lines, sorted by version.
  static std::string ledger_prefix(entity_id account);

  static bool listed(const state& s) { return !s.phone_number.empty(); }
  static std::uint8_t status(const state&) { return 1; }
};

}  // namespace skanu
