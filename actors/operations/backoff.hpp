// Backoff between retries: exponential, capped, and with jitter, so that clients failing together
// do not retry together.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace skanu {

struct backoff_settings {
  std::chrono::milliseconds first{50};
  std::chrono::milliseconds most{5'000};
};

/// The wait before retry `attempt` (1 is the first retry). Half of the wait is fixed; the other
/// half is random.
template <class Random>
std::chrono::milliseconds backoff(const backoff_settings& settings, int attempt, Random& random) {
  const auto doublings = std::clamp(attempt - 1, 0, 20);
  const auto full = std::min(settings.first * (std::int64_t{1} << doublings), settings.most);
  return full / 2 + std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(
                        0, full.count() - full.count() / 2)(random));
}

}  // namespace skanu
