// The circuit breaker's figures for operators.
#pragma once

#include <array>
#include <mutex>

#include "actors/operations/metrics.hpp"
#include "actors/rules/circuit_breaker.hpp"

namespace skanu {

/// Keeps the breaker's last figures, and counts the calls by outcome. Thread-safe.
class breaker_display {
 public:
  void count(call_outcome o) { ++calls_[static_cast<std::size_t>(o)]; }
  /// Returns the number of calls since the start.
  std::int64_t calls(call_outcome o) const { return calls_[static_cast<std::size_t>(o)].load(); }

  void set(const circuit_breaker::figures& f) {
    const std::lock_guard lock(mutex_);
    figures_ = f;
  }
  circuit_breaker::figures get() const {
    const std::lock_guard lock(mutex_);
    return figures_;
  }

 private:
  mutable std::mutex mutex_;
  circuit_breaker::figures figures_;
  std::array<counter, 3> calls_{};
};

}  // namespace skanu
