// The source of a node's random numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>

namespace skanu {

/// Gives each actor a seed for the actor's own generator, and random bits to threads without a
/// generator. All seeds follow from the first seed: runs with the same order of actor starts
/// repeat. Thread-safe.
class seed_source {
 public:
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return UINT64_MAX; }
  result_type operator()() { return next(); }

  explicit seed_source(std::uint64_t seed) : state_(seed) {}

  /// SplitMix64: the calls of a source all have different outputs.
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

/// Returns a seed from the system's randomness, different in each run.
inline std::uint64_t seed_by_chance() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) | random();
}

}  // namespace skanu
