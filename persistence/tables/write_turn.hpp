// The turn to write, among the threads of the process.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace skanu {

/// Passed to a single thread at a time. Thread-safe; must outlive every turn taken.
class write_turn {
 public:
  struct give_back {
    void operator()(write_turn* turn) const { turn->release(); }
  };
  /// A turn taken; destruction gives the turn back, on any thread.
  using held = std::unique_ptr<write_turn, give_back>;

  /// Waits for the turn; null after `longest_wait`.
  held take(std::chrono::milliseconds longest_wait) {
    std::unique_lock lock(mutex_);
    if (!given_back_.wait_for(lock, longest_wait, [this] { return !taken_; })) return nullptr;
    taken_ = true;
    return held(this);
  }

 private:
  void release() {
    const std::scoped_lock lock(mutex_);
    taken_ = false;
    given_back_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable given_back_;
  bool taken_ = false;
};

}  // namespace skanu
