// Who may wait for a service, and who is turned away.
#include "http/bulkhead.hpp"

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

  bulkhead door{{.most = 10, .many = 4, .patience = milliseconds(500)}};
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

}  // namespace
}  // namespace skanu
