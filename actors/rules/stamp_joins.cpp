#include "actors/rules/stamp_joins.hpp"

namespace skanu {

namespace {

versioned_state<stamp_rules> account_in(const snapshot& accounts, entity_id id) {
  return decode_versioned<stamp_rules>(accounts.entity_for_change(service::stamp, id));
}

}  // namespace

joins_due due_joins(const snapshot& accounts, const phone_country& home) {
  joins_due due;
  list_query query{.limit = largest_page};
  for (auto page = accounts.list(service::stamp, query); !page.empty();
       page = accounts.list(service::stamp, query)) {
    for (const auto& stored : page) {
      if (stored.damaged) {
        due.damaged.push_back(stored.id);
        continue;
      }
      const auto account = decode_document<stamp_state>(stored.document);
      auto present = present_form(account.phone_number, home);
      if (present && account.stamp_qty != 0)
        due.joins.push_back({account.phone_number, std::move(*present)});
    }
    query.after = page.back().id;
  }
  return due;
}

join_commit decide_join(const snapshot& accounts, const stamp_join& join, instant now) {
  const auto from = account_id_of(join.from), into = account_id_of(join.into);
  auto giver = account_in(accounts, from), taker = account_in(accounts, into);
  join_commit decided{.stamp_qty = giver.state.stamp_qty, .balance = taker.state.stamp_qty};
  if (from == into || decided.stamp_qty == 0) return {.balance = decided.balance};
  add_events(decided.data, from, giver,
             {stamps_moved_out{join.from, join.into, -decided.stamp_qty}}, now);
  add_events(decided.data, into, taker, {stamps_moved_in{join.into, join.from, decided.stamp_qty}},
             now);
  decided.balance = taker.state.stamp_qty;
  return decided;
}

}  // namespace skanu
