// When a change is tried again.
#include "http/api/change_attempts.hpp"

#include <gtest/gtest.h>

#include "actors/operations/randomness.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;

const change_attempts::time_point began{std::chrono::hours(1)};

class change_attempts_test : public testing::Test {
 protected:
  std::optional<change_attempts::time_point> next(const outcome& result, milliseconds after = {}) {
    return attempts.next(result, began + after, random);
  }

  seed_source random{1};
  change_attempts attempts{began};
};

TEST_F(change_attempts_test, a_result_is_kept_unless_nothing_was_changed_and_the_entity_recovers) {
  EXPECT_FALSE(next(accepted{}));
  for (const auto code : {errc::invalid_field, errc::overloaded, errc::store_failed,
                          errc::outcome_unknown, errc::service_away, errc::damaged})
    EXPECT_FALSE(next(error{code, ""})) << name_of(code);
  for (const auto code : {errc::entity_failed, errc::conflicting_commit})
    EXPECT_TRUE(next(error{code, ""})) << name_of(code);
}

TEST_F(change_attempts_test, pauses_grow_to_a_fifth_of_a_second) {
  for (const int longest : {5, 10, 20, 40, 80, 160, 200, 200}) {
    const auto pause = *next(error{errc::entity_failed, ""}) - began;
    EXPECT_GE(pause, milliseconds(longest) / 2);
    EXPECT_LE(pause, milliseconds(longest));
  }
}

TEST_F(change_attempts_test, the_last_attempt_begins_before_the_services_give_up) {
  EXPECT_TRUE(next(error{errc::entity_failed, ""}, call_deadline - milliseconds(6)));
  EXPECT_FALSE(next(error{errc::entity_failed, ""}, call_deadline - milliseconds(5)));
  EXPECT_EQ(attempts.until(), began + call_deadline);
  EXPECT_GT(attempts.answered_until(), attempts.until()) << "only a service knows the outcome";
}

}  // namespace
}  // namespace skanu
