// The rules of a stamp account and of the ledger.
#include "actors/rules/stamp_rules.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/decisions.hpp"

namespace skanu {
namespace {

const std::string phone = "01012341234";
const entity_id account = account_id_of(phone);
const std::string noon = "2026-11-22T12:00:00.000Z";

/// An account in the form kept by an entity: the state beside the rows.
struct account_with_ledger {
  stamp_state state;
  version_number version = 0;
  std::map<std::string, std::string> rows;

  stamp_rules::decision_context context_for(const stamp_command& c) const {
    return stamp_rules::gather(account, c, [&](std::string_view key) -> std::optional<std::string> {
      const auto found = rows.find(std::string(key));
      if (found == rows.end()) return std::nullopt;
      return found->second;
    });
  }

  std::string tell(const stamp_command& c) {
    const auto decided = stamp_rules::decide(state, c, account, context_for(c));
    for (const auto& e : decided.events) {
      stamp_rules::apply(state, e);
      for (const auto& row : stamp_rules::rows(account, e, ++version, noon)) {
        EXPECT_EQ(row.space, row_space::rows);
        EXPECT_TRUE(row.must_be_new);
        EXPECT_TRUE(rows.emplace(row.key, *row.value).second) << "written twice: " << row.key;
      }
    }
    return word_for(decided);
  }

  std::vector<stamp_entry> ledger() const {
    std::vector<stamp_entry> lines;
    const auto prefix = stamp_rules::ledger_prefix(account);
    for (const auto& [key, value] : rows)
      if (key.starts_with(prefix))
        lines.push_back(from_json<stamp_entry>(parse_stored_json(value)));
    return lines;
  }
};

TEST(stamp_rules, every_state_against_every_command) {
  const stamp_state none;
  const stamp_state five{phone, 5};
  const stamp_state debt{phone, -2};
  const stamp_rules::decision_context nothing_known, earned_3{3, false}, taken_back{3, true},
      never{{}, true};
  struct example {
    const char* name;
    stamp_state state;
    stamp_command command;
    stamp_rules::decision_context known;
    std::string decided;
    std::int64_t change = 0;
  };
  for (const auto& x : std::vector<example>{
           {"first by hand", none, add_stamps{4}, {}, "StampsAdded", 4},
           {"none by hand", none, add_stamps{0}, {}, "StampsAdded", 0},
           {"taken from nothing", none, add_stamps{-1}, {}, "negative-balance"},
           {"added", five, add_stamps{4}, {}, "StampsAdded", 4},
           {"taken to zero", five, add_stamps{-5}, {}, "StampsAdded", -5},
           {"taken below zero", five, add_stamps{-6}, {}, "negative-balance"},
           {"added in debt", debt, add_stamps{2}, {}, "StampsAdded", 2},
           {"added, and still in debt", debt, add_stamps{1}, {}, "StampsAdded", 1},
           {"nothing added in debt", debt, add_stamps{0}, {}, "StampsAdded", 0},
           {"taken in debt", debt, add_stamps{-1}, {}, "negative-balance"},
           {"first earned", none, earn_stamps{42, 3}, nothing_known, "StampsEarned", 3},
           {"earned", five, earn_stamps{42, 3}, nothing_known, "StampsEarned", 3},
           {"earned again", five, earn_stamps{42, 3}, earned_3, "nothing"},
           {"earned after taken back", five, earn_stamps{42, 3}, taken_back, "nothing"},
           {"earned after cancelled", five, earn_stamps{42, 3}, never, "nothing"},
           {"taken back", five, deduct_stamps{42}, earned_3, "StampsDeducted", -3},
           {"taken back from too few", debt, deduct_stamps{42}, earned_3, "StampsDeducted", -3},
           {"taken back again", five, deduct_stamps{42}, taken_back, "nothing"},
           {"cancelled before earned", none, deduct_stamps{42}, nothing_known, "StampsDeducted", 0},
           {"cancelled again", none, deduct_stamps{42}, never, "nothing"}}) {
    SCOPED_TRACE(x.name);
    const auto decided = stamp_rules::decide(x.state, x.command, account, x.known);
    EXPECT_EQ(word_for(decided), x.decided);
    if (decided.events.empty()) continue;
    auto s = x.state;
    stamp_rules::apply(s, decided.events.front());
    EXPECT_EQ(s.stamp_qty, x.state.stamp_qty + x.change);
    EXPECT_EQ(s.phone_number, phone);
  }
}

TEST(stamp_rules, a_refusal_names_the_field) {
  const auto refusal = stamp_rules::decide({phone, 1}, add_stamps{-2}, account, {}).refusal;
  ASSERT_TRUE(refusal);
  ASSERT_EQ(refusal->wrong_fields.size(), 1U);
  EXPECT_EQ(refusal->wrong_fields.front().field, "stampQty");
}

TEST(stamp_rules, earns_and_deducts_once_in_either_order) {
  account_with_ledger earned_first;
  EXPECT_EQ(earned_first.tell(earn_stamps{42, 3}), "StampsEarned");
  EXPECT_EQ(earned_first.tell(earn_stamps{42, 3}), "nothing");
  EXPECT_EQ(earned_first.tell(deduct_stamps{42}), "StampsDeducted");
  EXPECT_EQ(earned_first.tell(deduct_stamps{42}), "nothing");
  EXPECT_EQ(earned_first.tell(earn_stamps{42, 3}), "nothing");
  EXPECT_EQ(earned_first.state.stamp_qty, 0);

  account_with_ledger deducted_first;
  EXPECT_EQ(deducted_first.tell(deduct_stamps{42}), "StampsDeducted");
  EXPECT_EQ(deducted_first.tell(earn_stamps{42, 3}), "nothing");
  EXPECT_EQ(deducted_first.tell(deduct_stamps{42}), "nothing");
  EXPECT_EQ(deducted_first.state.stamp_qty, 0);
}

TEST(stamp_rules, payments_do_not_touch_each_other) {
  account_with_ledger a;
  a.tell(earn_stamps{42, 3});
  a.tell(earn_stamps{43, 5});
  a.tell(deduct_stamps{42});
  EXPECT_EQ(a.state.stamp_qty, 5);
}

TEST(stamp_rules, a_cancelled_payment_may_make_the_balance_negative) {
  account_with_ledger a;
  a.tell(earn_stamps{42, 3});
  a.tell(add_stamps{-2});
  EXPECT_EQ(a.tell(deduct_stamps{42}), "StampsDeducted");
  EXPECT_EQ(a.state.stamp_qty, -2);
}

TEST(stamp_rules, the_ledger_lists_every_change_in_order) {
  account_with_ledger a;
  a.tell(add_stamps{10});
  a.tell(earn_stamps{42, 3});
  a.tell(deduct_stamps{42});
  a.tell(deduct_stamps{43});
  const std::vector<stamp_entry> expected = {{1, "StampsAdded", {}, 10, noon},
                                             {2, "StampsEarned", 42, 3, noon},
                                             {3, "StampsDeducted", 42, -3, noon},
                                             {4, "StampsDeducted", 43, 0, noon}};
  EXPECT_EQ(a.ledger(), expected);
}

TEST(stamp_rules, the_lines_of_a_ledger_sort_by_their_number) {
  account_with_ledger a;
  for (int i = 0; i < 300; ++i) a.tell(add_stamps{1});
  const auto lines = a.ledger();
  ASSERT_EQ(lines.size(), 300U);
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(lines[i].entry, static_cast<version_number>(i) + 1);
}

TEST(stamp_rules, an_account_is_shown_from_its_first_entry_on) {
  EXPECT_FALSE(stamp_rules::listed({}));
  EXPECT_TRUE(stamp_rules::listed({phone, 0}));
}

// The original earns stamps again for the second Paid of a cancelled order.
TEST(defects_of_the_original, a_second_paid_earns_no_stamps_again) {
  account_with_ledger a;
  a.tell(earn_stamps{42, 3});
  a.tell(earn_stamps{42, 3});
  EXPECT_EQ(a.state.stamp_qty, 3);
  a.tell(deduct_stamps{42});
  a.tell(earn_stamps{42, 3});
  EXPECT_EQ(a.state.stamp_qty, 0);
}

}  // namespace
}  // namespace skanu
