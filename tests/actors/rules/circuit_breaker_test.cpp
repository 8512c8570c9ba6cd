// The circuit breaker against Resilience4j's semantics.
#include "actors/rules/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace skanu {
namespace {

using std::chrono::milliseconds;

/// A breaker with a clock.
class timed_breaker {
 public:
  explicit timed_breaker(circuit_breaker_settings settings = {}) : breaker(settings) {}

  std::optional<circuit_breaker::permit> acquire() { return breaker.try_acquire(now); }

  /// Makes a whole call; false where the breaker permits no call.
  bool call(bool success, milliseconds took = milliseconds{0}) {
    const auto permit = acquire();
    if (!permit) return false;
    now += took;
    breaker.record(*permit, success, now);
    return true;
  }

  int calls(int n, bool success) {
    int permitted = 0;
    for (int i = 0; i < n; ++i) permitted += call(success);
    return permitted;
  }

  void open_it() {
    calls(static_cast<int>(settings_minimum), false);
    ASSERT_EQ(breaker.state(), breaker_state::open);
  }

  static constexpr std::size_t settings_minimum = circuit_breaker_settings{}.minimum_calls;
  circuit_breaker breaker;
  circuit_breaker::time now{std::chrono::hours(1)};
};

using enum breaker_state;

TEST(circuit_breaker, has_the_settings_of_the_design) {
  const circuit_breaker_settings s;
  EXPECT_EQ(s.window, 100U);
  EXPECT_EQ(s.minimum_calls, 20U);
  EXPECT_EQ(s.failure_threshold, 50.0);
  EXPECT_EQ(s.open_for, milliseconds(5'000));
  EXPECT_EQ(s.half_open_calls, 5U);
  EXPECT_EQ(s.half_open_for, milliseconds(5'000));
}

TEST(circuit_breaker, opens_at_the_threshold_and_not_before_the_minimum) {
  struct example {
    const char* name;
    std::vector<std::pair<int, bool>> calls;  ///< Number of calls, and the outcome.
    breaker_state after;
  };
  for (const auto& x :
       std::vector<example>{{"no call", {}, closed},
                            {"19 failures", {{19, false}}, closed},
                            {"20 failures", {{20, false}}, open},
                            {"the 20th call a success", {{19, false}, {1, true}}, open},
                            {"just below half", {{11, true}, {9, false}}, closed},
                            {"exactly half", {{10, true}, {10, false}}, open},
                            {"half is reached late", {{30, true}, {29, false}}, closed},
                            {"half is reached later", {{30, true}, {30, false}}, open},
                            {"100 successes, then 49 failures", {{100, true}, {49, false}}, closed},
                            {"100 successes, then 50 failures", {{100, true}, {50, false}}, open},
                            {"old successes leave the window", {{500, true}, {50, false}}, open},
                            {"old failures leave the window",
                             {{49, true}, {48, false}, {100, true}, {49, false}},
                             closed}}) {
    SCOPED_TRACE(x.name);
    timed_breaker b;
    for (const auto& [n, success] : x.calls) b.calls(n, success);
    EXPECT_EQ(b.breaker.state(), x.after);
  }
}

TEST(circuit_breaker, calls_are_counted_by_their_end) {
  timed_breaker b;
  std::vector<circuit_breaker::permit> running;
  for (int i = 0; i < 200; ++i) running.push_back(*b.acquire());
  EXPECT_EQ(b.breaker.show().buffered_calls, 0U);
  for (int i = 0; i < 20; ++i) b.breaker.record(running[static_cast<std::size_t>(i)], false, b.now);
  EXPECT_EQ(b.breaker.state(), open);
}

TEST(circuit_breaker, slow_calls_open_it_too) {
  circuit_breaker_settings s;
  s.slow_after = milliseconds(100);
  s.slow_threshold = 50;
  timed_breaker at_threshold(s), below(s);
  for (int i = 0; i < 10; ++i) at_threshold.call(true), below.call(true);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(at_threshold.call(true, milliseconds(100)));
    EXPECT_TRUE(below.call(true, milliseconds(99)));
  }
  EXPECT_EQ(at_threshold.breaker.state(), open);
  EXPECT_EQ(below.breaker.state(), closed);
  EXPECT_EQ(at_threshold.breaker.show().slow_call_rate, 50.0);
  EXPECT_EQ(at_threshold.breaker.show().failure_rate, 0.0);
}

TEST(circuit_breaker, open_it_permits_nothing_until_its_time_is_over) {
  timed_breaker b;
  b.open_it();
  EXPECT_FALSE(b.acquire());
  b.now += milliseconds(4'999);
  EXPECT_FALSE(b.acquire());
  EXPECT_EQ(b.breaker.state(), open);
  b.now += milliseconds(1);
  EXPECT_TRUE(b.acquire());
  EXPECT_EQ(b.breaker.state(), half_open);
  EXPECT_EQ(b.breaker.show().not_permitted_calls, 2);
}

TEST(circuit_breaker, half_open_it_permits_five_calls) {
  timed_breaker b;
  b.open_it();
  b.now += milliseconds(5'000);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(b.acquire()) << i;
  EXPECT_FALSE(b.acquire());
  EXPECT_EQ(b.breaker.show().not_permitted_calls, 1);
}

TEST(circuit_breaker, the_outcomes_of_the_five_decide) {
  struct example {
    int failures;
    breaker_state after;
  };
  for (const auto& x : std::vector<example>{
           {0, closed}, {1, closed}, {2, closed}, {3, open}, {4, open}, {5, open}}) {
    SCOPED_TRACE(x.failures);
    timed_breaker b;
    b.open_it();
    b.now += milliseconds(5'000);
    std::vector<circuit_breaker::permit> probes;
    for (int i = 0; i < 5; ++i) probes.push_back(*b.acquire());
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(b.breaker.state(), half_open) << "decided before all five were in";
      b.breaker.record(probes[static_cast<std::size_t>(i)], i >= x.failures, b.now);
    }
    EXPECT_EQ(b.breaker.state(), x.after);
  }
}

TEST(circuit_breaker, closed_again_it_starts_to_count_anew) {
  timed_breaker b;
  b.open_it();
  b.now += milliseconds(5'000);
  EXPECT_EQ(b.calls(5, true), 5);
  EXPECT_EQ(b.breaker.state(), closed);
  EXPECT_EQ(b.breaker.show().buffered_calls, 0U);
  EXPECT_EQ(b.breaker.show().failure_rate, -1);
  b.calls(19, false);
  EXPECT_EQ(b.breaker.state(), closed);
  b.calls(1, false);
  EXPECT_EQ(b.breaker.state(), open);
}

TEST(circuit_breaker, half_open_it_is_for_five_seconds_at_most) {
  timed_breaker b;
  b.open_it();
  b.now += milliseconds(5'000);
  EXPECT_TRUE(b.acquire());
  b.now += milliseconds(4'999);
  EXPECT_TRUE(b.acquire());
  b.now += milliseconds(1);
  EXPECT_FALSE(b.acquire());
  EXPECT_EQ(b.breaker.state(), open);
  b.now += milliseconds(4'999);
  EXPECT_FALSE(b.acquire());
  b.now += milliseconds(1);
  EXPECT_TRUE(b.acquire());
  EXPECT_EQ(b.breaker.state(), half_open);
}

// The open time runs from the end of the half-open time, also without calls: otherwise the first
// call after an hour would be refused.
TEST(circuit_breaker, time_without_calls_counts_as_time) {
  timed_breaker b;
  b.open_it();
  b.now += milliseconds(5'000);
  EXPECT_TRUE(b.call(true));
  EXPECT_EQ(b.breaker.state(), half_open);
  b.now += std::chrono::hours(1);
  EXPECT_TRUE(b.acquire());
  EXPECT_EQ(b.breaker.state(), half_open);
}

TEST(circuit_breaker, results_of_an_earlier_state_do_not_count) {
  timed_breaker b;
  const auto begun_closed = *b.acquire();
  b.open_it();
  b.breaker.record(begun_closed, true, b.now);
  EXPECT_EQ(b.breaker.show().buffered_calls, 20U);
  b.now += milliseconds(5'000);
  const auto probe = *b.acquire();
  b.breaker.record(begun_closed, false, b.now);
  EXPECT_EQ(b.breaker.show().buffered_calls, 0U);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(b.call(true));
  b.breaker.record(probe, true, b.now);
  EXPECT_EQ(b.breaker.state(), closed);
  b.breaker.record(probe, false, b.now);
  EXPECT_EQ(b.breaker.show().buffered_calls, 0U);
}

TEST(circuit_breaker, a_call_that_was_not_made_gives_its_right_back) {
  timed_breaker b;
  const auto unused = *b.acquire();
  b.breaker.release(unused);
  EXPECT_EQ(b.breaker.show().buffered_calls, 0U);
  b.open_it();
  b.now += milliseconds(5'000);
  std::vector<circuit_breaker::permit> probes;
  for (int i = 0; i < 5; ++i) probes.push_back(*b.acquire());
  b.breaker.release(unused);
  EXPECT_FALSE(b.acquire()) << "a right of an earlier state is none of these five";
  b.breaker.release(probes[0]);
  EXPECT_TRUE(b.acquire());
  EXPECT_FALSE(b.acquire());
}

TEST(circuit_breaker, says_when_to_come_back) {
  timed_breaker b;
  EXPECT_EQ(b.breaker.retry_after(b.now), milliseconds(0));
  b.open_it();
  EXPECT_EQ(b.breaker.retry_after(b.now), milliseconds(5'000));
  EXPECT_EQ(b.breaker.retry_after(b.now + milliseconds(1'200)), milliseconds(3'800));
  EXPECT_EQ(b.breaker.retry_after(b.now + std::chrono::microseconds(1)), milliseconds(5'000));
  EXPECT_EQ(b.breaker.retry_after(b.now + milliseconds(9'000)), milliseconds(0));
  b.now += milliseconds(5'000);
  EXPECT_TRUE(b.acquire());
  EXPECT_EQ(b.breaker.retry_after(b.now), milliseconds(0)) << "four more may come";
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(b.acquire());
  EXPECT_EQ(b.breaker.retry_after(b.now), milliseconds(5'000));
}

TEST(circuit_breaker, shows_its_figures) {
  timed_breaker b;
  auto f = b.breaker.show();
  EXPECT_EQ(f.state, closed);
  EXPECT_EQ(f.failure_rate, -1);
  EXPECT_EQ(f.slow_call_rate, -1);
  b.calls(15, true);
  b.calls(4, false);
  EXPECT_EQ(b.breaker.show().failure_rate, -1);
  b.calls(1, false);
  f = b.breaker.show();
  EXPECT_EQ(f.failure_rate, 25.0);
  EXPECT_EQ(f.slow_call_rate, 0.0);
  EXPECT_EQ(f.buffered_calls, 20U);
  EXPECT_EQ(f.failed_calls, 5U);
  EXPECT_EQ(f.not_permitted_calls, 0);
  b.calls(100, true);
  EXPECT_EQ(b.breaker.show().buffered_calls, 100U);
  EXPECT_EQ(b.breaker.show().failed_calls, 0U);
}

TEST(circuit_breaker, open_it_shows_what_opened_it) {
  timed_breaker b;
  b.open_it();
  EXPECT_EQ(b.breaker.show().failure_rate, 100.0);
  EXPECT_EQ(b.breaker.show().failed_calls, 20U);
  b.now += milliseconds(5'000);
  b.calls(5, false);
  EXPECT_EQ(b.breaker.state(), open);
  EXPECT_EQ(b.breaker.show().failure_rate, 100.0);
  EXPECT_EQ(b.breaker.show().failed_calls, 5U);
}

TEST(circuit_breaker, has_the_words_of_the_contract) {
  EXPECT_EQ(name_of(closed), "CLOSED");
  EXPECT_EQ(name_of(open), "OPEN");
  EXPECT_EQ(name_of(half_open), "HALF_OPEN");
}

}  // namespace
}  // namespace skanu
