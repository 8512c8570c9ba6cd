// Lists by the time of the order, over every backend.
#include "persistence/order_window.hpp"

#include <gtest/gtest.h>

#include "persistence/document.hpp"
#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

constexpr service order = service::order;
const instant noon = *from_rfc3339("2026-11-30T12:00:00.000Z");

instant minute(int m) { return noon + std::chrono::minutes(m); }

class order_window : public testing::TestWithParam<store_backend> {
 protected:
  void SetUp() override { store_ = GetParam().open(folder_.path(), {order}, 0); }

  void place(entity_id id, std::optional<instant> at, std::uint8_t status = 1) {
    auto c = orders_.next(id, status);
    std::string document =
        R"({"type":"order","schema":1,"version":1,"data":{"id":)" + std::to_string(id);
    document += R"(,"productName":"\"orderedAt\":\"2001-01-01T00:00:00.000Z\"")";
    if (at) document += R"(,"orderedAt":")" + to_rfc3339(*at) + '"';
    c.changes[0].document = std::make_shared<const std::string>(document + "}}");
    ASSERT_EQ(store_->write({{&c}}).at(0), std::nullopt);
  }

  stored_page page(page_query wanted) { return store_->read()->page(order, wanted); }

  std::vector<entity_id> ids(page_query wanted) {
    std::vector<entity_id> found;
    for (const auto& item : page(wanted).items) found.push_back(item.id);
    return found;
  }

  const temporary_folder folder_;
  std::unique_ptr<store> store_;
  commit_maker orders_{order};
};

using list = std::vector<entity_id>;

INSTANTIATE_TEST_SUITE_P(all, order_window, testing::ValuesIn(all_backends()),
                         testing::PrintToStringParamName());

TEST_P(order_window, an_empty_store_has_nothing_in_any_window) {
  EXPECT_EQ(ids({.from = minute(0)}), list{});
  EXPECT_EQ(ids({.until = minute(0)}), list{});
  EXPECT_TRUE(page({.from = minute(0), .until = minute(1)}).in_window);
}

TEST_P(order_window, the_begin_belongs_to_a_window_and_the_end_does_not) {
  for (const int m : {1, 2, 3, 4, 5}) place(10 * m, minute(m));
  EXPECT_EQ(ids({.from = minute(2), .until = minute(4)}), (list{20, 30}));
  EXPECT_EQ(ids({.descending = true, .from = minute(2), .until = minute(4)}), (list{30, 20}));
  EXPECT_EQ(ids({.from = minute(4)}), (list{40, 50}));
  EXPECT_EQ(ids({.until = minute(2)}), (list{10}));
  EXPECT_EQ(ids({.descending = true, .until = minute(2)}), (list{10}));
  EXPECT_EQ(ids({.from = minute(6)}), list{});
  EXPECT_EQ(ids({.until = minute(1)}), list{});
  EXPECT_EQ(ids({.from = minute(4), .until = minute(2)}), list{});
}

TEST_P(order_window, an_order_without_a_time_is_older_than_all_others) {
  place(1, std::nullopt);
  place(2, std::nullopt);
  place(3, minute(1));
  EXPECT_EQ(ids({.from = minute(0)}), list{3});
  EXPECT_EQ(ids({.until = minute(1)}), (list{1, 2}));
}

TEST_P(order_window, pages_stay_inside) {
  for (int m = 1; m <= 30; ++m) place(m, minute(m), m % 2 == 0 ? 1 : 2);
  for (const bool descending : {false, true}) {
    const page_query all{
        .size = 4, .descending = descending, .from = minute(6), .until = minute(20)};
    list seen, numbered;
    std::optional<entity_id> after;
    for (int i = 0; i < 10; ++i) {
      auto next = all;
      next.after = after;
      const auto p = page(next);
      EXPECT_TRUE(p.in_window);
      EXPECT_EQ(p.last_after, std::nullopt);
      EXPECT_EQ(p.prev_after.has_value(), i > 0) << i;
      for (const auto& item : p.items) seen.push_back(item.id);
      if (!p.next_after) break;
      after = p.next_after;
    }
    for (std::int64_t n = 0; n < 10; ++n) {
      auto by_number = all;
      by_number.number = n;
      for (const auto id : ids(by_number)) numbered.push_back(id);
    }
    list expected;
    for (entity_id id = 6; id < 20; ++id) expected.push_back(id);
    if (descending) std::ranges::reverse(expected);
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(numbered, expected);
  }
  EXPECT_EQ(ids({.status = 1, .from = minute(6), .until = minute(11)}), (list{6, 8, 10}));
}

TEST_P(order_window, the_page_before_is_found_from_its_key) {
  for (int m = 1; m <= 12; ++m) place(m, minute(m));
  const auto third = page({.after = 9, .size = 3, .from = minute(4)});
  ASSERT_EQ(third.prev_after, 6);
  const auto second = page({.after = *third.prev_after, .size = 3, .from = minute(4)});
  EXPECT_EQ(second.items.front().id, 7);
  ASSERT_EQ(second.prev_after, 0);
  EXPECT_EQ(page({.after = 3, .size = 3, .from = minute(4)}).prev_after, std::nullopt);
}

TEST_P(order_window, windows_that_meet_share_no_order_and_miss_none) {
  // Ids and times disagree within two seconds, as those of orders placed at once may do.
  for (int i = 1; i <= 200; ++i)
    place(i, noon + std::chrono::milliseconds(100 * i + (i * 7919) % 2'000));
  for (int border = 0; border <= 24'000; border += 317) {
    const auto at = noon + std::chrono::milliseconds(border);
    auto before = ids({.size = 1'000, .until = at});
    const auto behind = ids({.size = 1'000, .from = at});
    EXPECT_EQ(before.size() + behind.size(), 200U) << border;
    if (!before.empty() && !behind.empty()) EXPECT_EQ(before.back() + 1, behind.front());
  }
}

TEST_P(order_window, a_border_stays_where_it_is_while_orders_are_added) {
  const auto at = noon + std::chrono::milliseconds(1'500);
  std::optional<entity_id> border;
  for (int i = 1; i <= 300; ++i) {
    place(i, noon + std::chrono::milliseconds(40 * i + (i * 7919) % 500));
    if (i < 100) continue;
    const auto now = first_ordered_since(*store_->read(), order, at);
    if (!border) border = now;
    ASSERT_EQ(now, *border) << i;
  }
}

}  // namespace
}  // namespace skanu
