// A queue of timers returns entries in order, and no entry early.
#include "actors/operations/timer_queue.hpp"

#include <gtest/gtest.h>

#include <random>

namespace skanu {
namespace {

using std::chrono::milliseconds;

class timer_queue_test : public testing::Test {
 protected:
  /// Takes all entries due after `ms` milliseconds, in order.
  std::vector<int> due_at(int ms) {
    std::vector<int> taken;
    while (const auto entry = queue.take_due(start + milliseconds(ms))) taken.push_back(*entry);
    return taken;
  }

  timer_queue<int>::time_point start{std::chrono::hours(1)};
  timer_queue<int> queue;
};

TEST_F(timer_queue_test, gives_entries_back_in_the_order_of_their_times) {
  queue.add(start + milliseconds(30), 3);
  queue.add(start + milliseconds(10), 1);
  queue.add(start + milliseconds(20), 2);
  EXPECT_EQ(due_at(9), (std::vector<int>{}));
  EXPECT_EQ(due_at(20), (std::vector<int>{1, 2}));
  EXPECT_EQ(due_at(1'000), (std::vector<int>{3}));
  EXPECT_TRUE(queue.empty());
}

TEST_F(timer_queue_test, gives_entries_of_one_time_back_in_the_order_in_which_they_came) {
  std::vector<int> all;
  for (int i = 0; i < 100; ++i) {
    queue.add(start, i);
    all.push_back(i);
  }
  EXPECT_EQ(due_at(0), all);
}

TEST_F(timer_queue_test, keeps_the_order_while_entries_come_and_go) {
  std::mt19937 random(1);
  std::vector<std::pair<int, int>> expected;  // time and number
  std::vector<std::pair<int, int>> taken;
  std::vector<int> times;
  for (int now = 0; now < 500; ++now) {
    for (int i = 0; i < 3; ++i) {
      const int time = now + static_cast<int>(random() % 50);
      queue.add(start + milliseconds(time), static_cast<int>(times.size()));
      expected.emplace_back(time, static_cast<int>(times.size()));
      times.push_back(time);
    }
    for (const int number : due_at(now)) {
      EXPECT_EQ(times[static_cast<std::size_t>(number)], now);
      taken.emplace_back(now, number);
    }
  }
  for (const int number : due_at(1'000))
    taken.emplace_back(times[static_cast<std::size_t>(number)], number);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(taken, expected);
}

}  // namespace
}  // namespace skanu
