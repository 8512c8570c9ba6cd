// Counts of what was observed, in buckets as Prometheus has them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace skanu {

/// Lock-free; every function may be called by any thread. The sums and counts that are read while
/// others observe may differ by what is under way.
template <std::size_t Buckets>
class histogram {
 public:
  using bounds_type = std::array<std::int64_t, Buckets>;

  /// The upper bounds of the buckets, rising; what lies above the last is counted too.
  explicit histogram(const bounds_type& bounds) : bounds_(bounds) {}

  void observe(std::int64_t value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    counts_[static_cast<std::size_t>(bucket - bounds_.begin())].fetch_add(
        1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  const bounds_type& bounds() const { return bounds_; }
  /// Of one bucket alone; the last is that above all bounds.
  std::int64_t count(std::size_t bucket) const {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  std::int64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  bounds_type bounds_;
  std::array<std::atomic<std::int64_t>, Buckets + 1> counts_{};
  std::atomic<std::int64_t> sum_ = 0;
};

}  // namespace skanu
