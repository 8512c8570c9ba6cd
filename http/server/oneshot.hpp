// Where a request waits for something that another thread brings.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace skanu {

/// Who waits: a thread, or a request on a worker pool (worker_pool.hpp), which then lets its thread
/// serve others. Used like a condition variable that one waits on.
class waiter {
 public:
  using clock = std::chrono::steady_clock;

  virtual ~waiter() = default;

  /// By whoever this is: releases the lock, sleeps, and has the lock again. May return early.
  virtual void sleep_until(std::unique_lock<std::mutex>& lock, clock::time_point until) = 0;
  /// By any thread, with that same lock held.
  virtual void wake() noexcept = 0;

  /// Who runs here and now.
  static waiter& current();

 protected:
  /// From now on this thread runs that one; null: the thread itself.
  static void set_current(waiter* runs) noexcept;
};

/// For one who waits and one who delivers, which may be long after the other gave up: both hold it.
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

  /// The value, or nothing where none came in time.
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

/// Waits without anything to wait for.
inline void pause_until(waiter::clock::time_point until) {
  std::mutex own;
  std::unique_lock lock{own};
  while (waiter::clock::now() < until) waiter::current().sleep_until(lock, until);
}

}  // namespace skanu
