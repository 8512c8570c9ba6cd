// Log lines about refused peers.
#include "cluster/protocol/refusal_log.hpp"

#include <gtest/gtest.h>

#include "tests/support/log_capture.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class refusal_log_test : public testing::Test {
 protected:
  void say(const std::string& peer, const std::string& reason) { refusals.say(peer, reason, now); }

  refusal_log refusals;
  refusal_log::time_point now{seconds(1'000)};
  log_capture log;
};

TEST_F(refusal_log_test, says_each_peer_and_reason_once_a_minute_with_how_often_it_came) {
  for (int i = 0; i < 241; ++i, now += milliseconds(500)) say("a", "old");
  EXPECT_EQ(log.lines_with("peer=a reason=\"old\""), 3) << log.text();
  EXPECT_EQ(log.lines_with("times=120"), 2) << log.text();
}

TEST_F(refusal_log_test, says_another_reason_and_another_peer_at_once) {
  say("a", "old");
  say("b", "old");
  say("a", "new");
  say("a", "old");
  EXPECT_EQ(log.lines_with("event=peer_refused"), 3) << log.text();
}

TEST_F(refusal_log_test, has_a_bound_whatever_names_are_made_up) {
  for (int i = 0; i < 10'000; ++i, now += milliseconds(3)) say(std::to_string(i), "old");
  EXPECT_EQ(log.lines_with("event=peer_refused"), 65) << log.text();
  EXPECT_EQ(log.lines_with("peer=others"), 1) << log.text();
  now += refusal_log::interval;
  say("a", "old");
  EXPECT_EQ(log.lines_with("peer=a"), 1) << "the others are forgotten in time";
}

}  // namespace
}  // namespace skanu
