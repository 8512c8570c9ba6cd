// Reservation of ids in blocks, before handing out an id; no id stays undecided.
#include "actors/rules/id_blocks.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace skanu {
namespace {

TEST(id_blocks, hands_out_nothing_that_was_not_reserved) {
  id_blocks ids(1);
  EXPECT_FALSE(ids.available());
  EXPECT_FALSE(ids.issue());
  const auto last = ids.reserve();
  EXPECT_EQ(last, id_blocks::smallest_block);
  EXPECT_FALSE(ids.issue()) << "the reservation is not durable yet";
  ids.reserved(last);
  for (entity_id id = 1; id <= last; ++id) EXPECT_EQ(ids.issue(), id);
  EXPECT_FALSE(ids.issue());
}

TEST(id_blocks, goes_on_behind_what_was_reserved_before) {
  id_blocks ids(513);
  ids.reserved(ids.reserve());
  EXPECT_EQ(ids.issue(), 513);
}

TEST(id_blocks, asks_for_more_while_half_a_block_is_left) {
  id_blocks ids(1);
  EXPECT_TRUE(ids.wants_more());
  const auto last = ids.reserve();
  EXPECT_FALSE(ids.wants_more()) << "one reservation at a time";
  ids.reserved(last);
  std::int64_t left = last;
  while (!ids.wants_more()) {
    ASSERT_TRUE(ids.issue());
    --left;
  }
  EXPECT_GE(left, last / 2 - 1);
}

TEST(id_blocks, asks_again_where_a_reservation_failed) {
  id_blocks ids(1);
  ids.reserve();
  ids.not_reserved();
  EXPECT_TRUE(ids.wants_more());
  EXPECT_FALSE(ids.issue());
  ids.reserved(ids.reserve());
  EXPECT_EQ(ids.issue(), 1);
}

TEST(id_blocks, blocks_grow_up_to_a_limit) {
  id_blocks ids(1);
  entity_id before = 0;
  std::int64_t largest = 0;
  for (int i = 0; i < 20; ++i) {
    const auto last = ids.reserve();
    EXPECT_GE(last - before, largest);
    largest = last - before;
    ids.reserved(last);
    before = last;
  }
  EXPECT_EQ(largest, id_blocks::largest_block);
}

TEST(id_blocks, the_floor_is_the_first_undecided_id) {
  id_blocks ids(1);
  EXPECT_EQ(ids.floor(), 1);
  ids.reserved(ids.reserve());
  EXPECT_EQ(ids.floor(), 1);
  ids.issue();
  ids.issue();
  ids.issue();
  EXPECT_EQ(ids.floor(), 1);
  ids.settle(2);
  EXPECT_EQ(ids.floor(), 1);
  ids.settle(1);
  EXPECT_EQ(ids.floor(), 3);
  ids.settle(3);
  EXPECT_EQ(ids.floor(), 4);
  EXPECT_EQ(ids.next(), 4);
}

TEST(id_blocks, what_a_crash_left_undecided_holds_the_floor_down) {
  id_blocks ids(100, {7, 42});
  EXPECT_EQ(ids.floor(), 7);
  ids.settle(7);
  EXPECT_EQ(ids.floor(), 42);
  ids.settle(42);
  EXPECT_EQ(ids.floor(), 100);
}

TEST(id_blocks, random_use_never_repeats_an_id_and_never_loses_one) {
  std::mt19937_64 random(7);
  id_blocks ids(1);
  std::set<entity_id> issued, open;
  entity_id durable = 0, asked_for = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 4) {
      case 0:
        if (asked_for == 0 && ids.wants_more()) asked_for = ids.reserve();
        break;
      case 1:
        if (asked_for == 0) break;
        if (random() % 3 == 0) {
          ids.not_reserved();
        } else {
          ids.reserved(durable = asked_for);
        }
        asked_for = 0;
        break;
      case 2:
        if (const auto id = ids.issue()) {
          EXPECT_LE(*id, durable);
          EXPECT_TRUE(issued.insert(*id).second) << *id;
          open.insert(*id);
        }
        break;
      default:
        if (open.empty()) break;
        auto any = open.begin();
        std::advance(any, static_cast<std::ptrdiff_t>(random() % open.size()));
        ids.settle(*any);
        open.erase(any);
    }
    EXPECT_EQ(ids.floor(), open.empty() ? ids.next() : *open.begin());
  }
  EXPECT_EQ(issued.size(), static_cast<std::size_t>(ids.next() - 1));
}

}  // namespace
}  // namespace skanu
