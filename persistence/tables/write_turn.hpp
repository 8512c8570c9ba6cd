// The turn of one writing transaction among the threads of this process.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace skanu {

/// One at a time has it. Thread-safe; outlives every turn that it gave.
class write_turn {
 public:
  struct give_back {
    void operator()(write_turn* turn) const { turn->release(); }
  };
  /// Having it; destruction gives it back, on any thread.
  using held = std::unique_ptr<write_turn, give_back>;

  /// Waits for it; null where it does not come in time.
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
