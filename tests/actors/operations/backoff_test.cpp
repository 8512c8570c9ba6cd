// The waits between tries: bounds, growth, cap, jitter.
#include "actors/operations/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace skanu {
namespace {

using std::chrono::milliseconds;

TEST(backoff, is_at_least_half_and_at_most_all_of_the_doubled_wait) {
  const backoff_settings settings{milliseconds(50), milliseconds(5'000)};
  std::mt19937_64 random(1);
  const milliseconds full[] = {milliseconds(50),    milliseconds(100),   milliseconds(200),
                               milliseconds(400),   milliseconds(800),   milliseconds(1'600),
                               milliseconds(3'200), milliseconds(5'000), milliseconds(5'000)};
  for (int attempt = 1; const auto most : full) {
    milliseconds least_seen = milliseconds::max(), most_seen{0};
    for (int i = 0; i < 1'000; ++i) {
      const auto wait = backoff(settings, attempt, random);
      least_seen = std::min(least_seen, wait);
      most_seen = std::max(most_seen, wait);
    }
    EXPECT_GE(least_seen, most / 2) << attempt;
    EXPECT_LE(most_seen, most) << attempt;
    EXPECT_LE(least_seen, most * 55 / 100) << "no jitter in attempt " << attempt;
    EXPECT_GE(most_seen, most * 95 / 100) << "no jitter in attempt " << attempt;
    ++attempt;
  }
}

TEST(backoff, is_bounded_for_any_number_of_attempts) {
  const backoff_settings settings{milliseconds(50), milliseconds(5'000)};
  std::mt19937_64 random(1);
  for (const int attempt : {std::numeric_limits<int>::min() + 1, -1, 0})
    EXPECT_LE(backoff(settings, attempt, random), settings.first);
  for (const int attempt : {21, 22, 64, 1'000'000, std::numeric_limits<int>::max()}) {
    const auto wait = backoff(settings, attempt, random);
    EXPECT_GE(wait, settings.most / 2);
    EXPECT_LE(wait, settings.most);
  }
}

TEST(backoff, those_who_failed_together_do_not_come_back_together) {
  std::set<milliseconds> waits;
  for (unsigned who = 0; who < 20; ++who) {
    std::mt19937_64 random(who);
    waits.insert(backoff({}, 8, random));
  }
  EXPECT_GE(waits.size(), 15U);
}

}  // namespace
}  // namespace skanu
