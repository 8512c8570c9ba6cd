// Counts of observed values, in buckets in the manner of Prometheus.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace skanu {

/// Lock-free; any thread may call every function. Sums and counts read during an observation may
/// not include the observation yet.
template <std::size_t Buckets>
class histogram {
 public:
  using bounds_type = std::array<std::int64_t, Buckets>;

  /// `bounds` are the buckets' upper bounds, ascending; a last bucket counts the values above all
  /// bounds.
  explicit histogram(const bounds_type& bounds) : bounds_(bounds) {}

  void observe(std::int64_t value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    counts_[static_cast<std::size_t>(bucket - bounds_.begin())].fetch_add(
        1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  const bounds_type& bounds() const { return bounds_; }
  /// The count of one bucket alone, not cumulative; the last bucket lies above all bounds.
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
