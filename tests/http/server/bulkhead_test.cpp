// Admission of requests that wait for a service.
#include "http/server/bulkhead.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace skanu {
namespace {

using std::chrono::milliseconds;

class bulkhead_test : public testing::Test {
 protected:
  bool enter() {
    waiting.emplace_back(door, now);
    const bool entered{waiting.back()};
    if (!entered) waiting.pop_back();
    return entered;
  }
  int enter(int wanted) {
    int entered = 0;
    for (int i = 0; i < wanted; ++i) entered += enter();
    return entered;
  }
  void answer_all() {
    door.heard(now);
    waiting.clear();
  }

  bulkhead door{{.waiting_max = 10, .waiting_max_when_silent = 4, .silence = milliseconds(500)}};
  std::deque<bulkhead::place> waiting;
  bulkhead::clock::time_point now = bulkhead::clock::time_point(std::chrono::hours(1));
};

TEST_F(bulkhead_test, so_many_may_wait_and_no_more) {
  EXPECT_EQ(enter(20), 10);
  waiting.pop_front();
  EXPECT_EQ(enter(20), 1);
}

TEST_F(bulkhead_test, fewer_may_wait_for_a_service_that_has_been_silent) {
  EXPECT_EQ(enter(5), 5);
  now += milliseconds(499);
  EXPECT_TRUE(enter());
  now += milliseconds(1);
  EXPECT_FALSE(enter());
  while (waiting.size() > 3) waiting.pop_front();
  EXPECT_EQ(enter(20), 1) << "up to the lower bound";
}

TEST_F(bulkhead_test, one_answer_is_a_sign_of_life) {
  EXPECT_EQ(enter(6), 6);
  now += milliseconds(600);
  EXPECT_FALSE(enter());
  door.heard(now);
  EXPECT_EQ(enter(20), 4);
}

TEST_F(bulkhead_test, a_burst_after_an_idle_hour_meets_no_suspicion) {
  enter();
  answer_all();
  now += std::chrono::hours(1);
  EXPECT_EQ(enter(10), 10);
}

TEST_F(bulkhead_test, a_place_is_one_of_the_outer_bulkhead_too) {
  bulkhead together{{.waiting_max = 6, .waiting_max_when_silent = 6}};
  bulkhead one{{.waiting_max = 4, .waiting_max_when_silent = 4}, &together},
      other{{.waiting_max = 4, .waiting_max_when_silent = 4}, &together};
  std::deque<bulkhead::place> in_one, in_other;
  const auto enter_into = [&](bulkhead& to, std::deque<bulkhead::place>& places) {
    int entered = 0;
    for (int i = 0; i < 10; ++i) {
      places.emplace_back(to, now);
      if (places.back()) {
        ++entered;
      } else {
        places.pop_back();
      }
    }
    return entered;
  };
  EXPECT_EQ(enter_into(one, in_one), 4) << "its own bound";
  EXPECT_EQ(enter_into(other, in_other), 2) << "the bound of both";
  EXPECT_EQ(enter_into(one, in_one), 0);
  in_one.pop_back();
  EXPECT_EQ(enter_into(other, in_other), 1) << "who was turned away keeps no place";
  in_one.clear();
  EXPECT_EQ(enter_into(other, in_other), 1);
}

}  // namespace
}  // namespace skanu
