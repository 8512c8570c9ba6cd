// A join moves the stamps between two accounts of the same person.
#pragma once

#include <string>
#include <vector>

#include "actors/rules/event_commit.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "messages/phone.hpp"

namespace skanu {

/// Two accounts by phone number, as stored.
struct stamp_join {
  std::string from;  ///< Gives all stamps, or the debt.
  std::string into;
  bool operator==(const stamp_join&) const = default;
};

struct joins_due {
  std::vector<stamp_join> joins;
  std::vector<entity_id> damaged;  ///< Unreadable accounts.
};

/// Returns a join for each account with a balance whose number has another form at present, in the
/// order of the accounts' ids. Reads all accounts. Throws store_error and decode_error.
joins_due due_joins(const snapshot& accounts, const phone_country& home);

/// The commit of a join changes both accounts, unless another commit changed either account: a join
/// happens whole, once, or not at all.
struct join_commit {
  std::int64_t stamp_qty = 0;  ///< The stamps moved; 0: `data` is empty.
  std::int64_t balance = 0;    ///< The balance of `into` after the join.
  commit data = {.of = service::stamp};
};

/// Decides a join by the stored accounts. Throws store_error and decode_error.
join_commit decide_join(const snapshot& accounts, const stamp_join& join, instant now);

}  // namespace skanu
