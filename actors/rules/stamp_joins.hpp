// Joining of stamp accounts that belong to one person: who joins whom, and the commit.
#pragma once

#include <string>
#include <vector>

#include "actors/rules/event_commit.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "messages/phone.hpp"

namespace skanu {

/// Two accounts by their phone numbers, as stored.
struct stamp_join {
  std::string from;  ///< Gives all its stamps, or its debt.
  std::string into;
  bool operator==(const stamp_join&) const = default;
};

struct joins_due {
  std::vector<stamp_join> joins;
  std::vector<entity_id> damaged;  ///< Accounts that cannot be read.
};

/// Returns a join for each account with a balance whose number has another form at present, in the
/// order of the accounts' ids. Reads all accounts. Throws store_error and decode_error.
joins_due due_joins(const snapshot& accounts, const phone_country& home);

/// The commit of a join. Both accounts change in one commit, under the condition that no other
/// commit changed them: a join happens whole, once, or not at all.
struct join_commit {
  std::int64_t stamp_qty = 0;  ///< The stamps moved; 0: `data` is empty.
  std::int64_t balance = 0;    ///< The balance of `into` after the join.
  commit data = {.of = service::stamp};
};

/// Decides a join by what is stored. Throws store_error and decode_error.
join_commit decide_join(const snapshot& accounts, const stamp_join& join, instant now);

}  // namespace skanu
