// Waiting for a value from another thread.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace skanu {

/// A waiting thread, or a waiting request of a worker pool (worker_pool.hpp), whose thread runs
/// other requests meanwhile. Used like a condition variable with a single waiter.
class waiter {
 public:
  using clock = std::chrono::steady_clock;

  virtual ~waiter() = default;

  /// Called by the waiter: releases the lock, sleeps, and takes the lock again. May return early.
  virtual void sleep_until(std::unique_lock<std::mutex>& lock, clock::time_point until) = 0;
  /// Called by any thread, with the same lock held.
  virtual void wake() noexcept = 0;

  /// The calling waiter: the running request, or the plain thread.
  static waiter& current();

 protected:
  /// Sets the current waiter of the calling thread; null: the plain thread.
  static void set_current(waiter* runs) noexcept;
};

/// Carries a single value from a deliverer to a waiter. Both share ownership, since the value may
/// come long after the waiter gave up.
template <class T>
class oneshot {
 public:
  using clock = waiter::clock;

  /// Any thread; the first value counts.
  void deliver(T value) noexcept {
    const std::lock_guard lock{mutex_};
    if (!value_) value_ = std::move(value);
    if (waits_ != nullptr) waits_->wake();
  }

  /// Returns the value, or nullopt where no value came in time.
  std::optional<T> wait_until(clock::time_point until) {
    std::unique_lock lock{mutex_};
    waits_ = &waiter::current();
    while (!value_ && clock::now() < until) waits_->sleep_until(lock, until);
    waits_ = nullptr;
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  waiter* waits_ = nullptr;
  std::optional<T> value_;
};

/// Sleeps until the given time. On a worker pool the thread runs other requests meanwhile.
inline void pause_until(waiter::clock::time_point until) {
  std::mutex own;
  std::unique_lock lock{own};
  while (waiter::clock::now() < until) waiter::current().sleep_until(lock, until);
}

}  // namespace skanu
