// Joining of stamp accounts of the same person.
#include "actors/rules/stamp_joins.hpp"

#include <gtest/gtest.h>

#include "tests/support/small_shop.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {
namespace {

const std::string today = "01012341234";
const std::string with_code = "821012341234";
const std::string dialled = "00821012341234";
const instant noon{std::chrono::hours{12}};

/// Accounts with a balance each, by hand.
small_shop shop_with(const std::vector<std::pair<std::string, std::int64_t>>& balances) {
  small_shop shop;
  for (const auto& [phone, qty] : balances)
    shop.tell<stamp_rules>(account_id_of(phone), add_stamps{qty});
  return shop;
}

std::int64_t balance(small_shop& shop, const std::string& phone) {
  const auto document = shop.data().read()->entity(service::stamp, account_id_of(phone));
  return decode_versioned<stamp_rules>(document).state.stamp_qty;
}

void carry_out(small_shop& shop, const stamp_join& join) {
  write_commit(shop.data(), decide_join(*shop.data().read(), join, noon).data);
}

TEST(stamp_joins, are_due_for_accounts_whose_number_has_another_form_today) {
  auto shop = shop_with({{today, 1}, {with_code, 3}, {dialled, 4}, {"+442079460958", 5}});
  const auto due = due_joins(*shop.data().read(), korea);
  EXPECT_EQ(due.joins, (std::vector<stamp_join>{{with_code, today}, {dialled, today}}));
  EXPECT_TRUE(due.damaged.empty());
}

TEST(stamp_joins, are_not_due_for_an_account_without_stamps) {
  auto shop = shop_with({{with_code, 0}});
  EXPECT_TRUE(due_joins(*shop.data().read(), korea).joins.empty());
}

TEST(stamp_joins, are_found_behind_a_full_page_of_accounts) {
  small_shop shop;
  for (std::size_t i = 0; i < largest_page; ++i)
    shop.tell<stamp_rules>(account_id_of("0105550" + std::to_string(1000 + i)), add_stamps{1});
  shop.tell<stamp_rules>(account_id_of(with_code), add_stamps{1});
  EXPECT_EQ(due_joins(*shop.data().read(), korea).joins.size(), 1U);
}

TEST(stamp_joins, move_every_stamp_once_and_leave_the_shop_sound) {
  auto shop = shop_with({{today, 1}, {with_code, 3}, {dialled, 4}});
  for (const auto& join : due_joins(*shop.data().read(), korea).joins) carry_out(shop, join);
  EXPECT_EQ(balance(shop, today), 8);
  EXPECT_EQ(balance(shop, with_code), 0);
  EXPECT_EQ(balance(shop, dialled), 0);
  EXPECT_TRUE(due_joins(*shop.data().read(), korea).joins.empty());
  const auto report = shop.audit();
  EXPECT_TRUE(report.sound()) << report.to_json(false);
}

TEST(stamp_joins, open_the_account_of_today_where_it_is_missing) {
  auto shop = shop_with({{with_code, 3}});
  carry_out(shop, {with_code, today});
  EXPECT_EQ(balance(shop, today), 3);
  EXPECT_TRUE(shop.audit().sound());
}

TEST(stamp_joins, move_a_debt_too) {
  auto shop = shop_with({{today, 5}});
  shop.tell<stamp_rules>(account_id_of(with_code), add_stamps{2});
  shop.tell<stamp_rules>(account_id_of(with_code), earn_stamps{42, 3});
  shop.tell<stamp_rules>(account_id_of(with_code), add_stamps{-4});
  shop.tell<stamp_rules>(account_id_of(with_code), deduct_stamps{42});
  ASSERT_EQ(balance(shop, with_code), -2);
  carry_out(shop, {with_code, today});
  EXPECT_EQ(balance(shop, today), 3);
  EXPECT_EQ(balance(shop, with_code), 0);
}

TEST(stamp_joins, that_another_commit_overtook_are_refused_whole) {
  auto shop = shop_with({{today, 1}, {with_code, 3}});
  const auto decided = decide_join(*shop.data().read(), {with_code, today}, noon);
  shop.tell<stamp_rules>(account_id_of(today), add_stamps{1});
  const auto* one = &decided.data;
  EXPECT_EQ(shop.data().write({&one, 1}).front(), errc::conflicting_commit);
  EXPECT_EQ(balance(shop, today), 2);
  EXPECT_EQ(balance(shop, with_code), 3);
}

TEST(stamp_joins, of_an_account_with_itself_or_of_nothing_change_nothing) {
  auto shop = shop_with({{today, 1}});
  for (const auto& join : {stamp_join{today, today}, stamp_join{"01055555555", today}}) {
    const auto decided = decide_join(*shop.data().read(), join, noon);
    EXPECT_EQ(decided.stamp_qty, 0);
    EXPECT_EQ(decided.balance, 1);
    EXPECT_TRUE(decided.data.events.empty());
    EXPECT_TRUE(decided.data.changes.empty());
  }
}

TEST(stamp_joins, stand_in_both_ledgers_with_the_other_number) {
  auto shop = shop_with({{with_code, 3}});
  carry_out(shop, {with_code, today});
  const auto line = [&](const std::string& phone, version_number n) {
    auto key = stamp_rules::ledger_prefix(account_id_of(phone));
    append_ordered_key(key, n);
    return from_json<stamp_entry>(
        parse_stored_json(*shop.data().read()->row(service::stamp, row_space::rows, key)));
  };
  EXPECT_EQ(line(with_code, 2),
            (stamp_entry{2, "StampsMovedOut", {}, -3, to_rfc3339(noon), today}));
  EXPECT_EQ(line(today, 1), (stamp_entry{1, "StampsMovedIn", {}, 3, to_rfc3339(noon), with_code}));
}

}  // namespace
}  // namespace skanu
