// The source of all chance of a node.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>

namespace skanu {

/// Gives each actor the seed of its own generator, and random bits to threads without a generator.
/// All seeds follow from the first one: a run whose actors start in the same order repeats itself.
/// Thread-safe.
class seed_source {
 public:
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return UINT64_MAX; }
  result_type operator()() { return next(); }

  explicit seed_source(std::uint64_t seed) : state_(seed) {}

  /// SplitMix64, whose outputs differ for every call of one source.
  std::uint64_t next() {
    constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
    auto z = state_.fetch_add(step) + step;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::atomic<std::uint64_t> state_;
};

/// A seed that no other run has.
inline std::uint64_t seed_by_chance() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) | random();
}

}  // namespace skanu
