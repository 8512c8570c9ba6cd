// Wakes one worker at a time: a woken one that leaves more behind in the queue wakes the next. So
// a burst of quick requests is worked off by few threads, and slow ones still spread over all.
#include "http/worker_pool.hpp"

#include <utility>

namespace skanu {

worker_pool::worker_pool(size_t workers, size_t capacity, std::function<void(connection&)> serve)
    : serve_{std::move(serve)}, queue_(capacity), workers_(workers) {
  idle_.reserve(workers);
  for (auto& each : workers_) each.thread = std::thread{[this, &each] { run(each); }};
}

worker_pool::~worker_pool() { stop(); }

bool worker_pool::push(connection& ready) {
  worker* woken = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_ || size_ == queue_.size()) return false;
    queue_[(first_ + size_) % queue_.size()] = &ready;
    ++size_;
    woken = wake_one();
  }
  if (woken) woken->wake.notify_one();
  return true;
}

size_t worker_pool::queued() const {
  const std::lock_guard lock{mutex_};
  return size_;
}

void worker_pool::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    size_ = 0;
  }
  for (auto& each : workers_) each.wake.notify_one();
  for (auto& each : workers_) {
    if (each.thread.joinable()) each.thread.join();
  }
}

void worker_pool::run(worker& self) {
  while (auto* ready = next(self)) serve_(*ready);
}

// Null when the pool stops.
connection* worker_pool::next(worker& self) {
  connection* taken = nullptr;
  worker* woken = nullptr;
  {
    std::unique_lock lock{mutex_};
    while (size_ == 0 && !stopped_) {
      idle_.push_back(&self);
      self.wake.wait(lock, [&] { return self.woken || stopped_; });
      self.woken = false;
      waking_ = false;
    }
    if (stopped_) return nullptr;
    taken = queue_[first_];
    first_ = (first_ + 1) % queue_.size();
    --size_;
    woken = wake_one();
  }
  if (woken) woken->wake.notify_one();
  return taken;
}

// With the mutex held; whom to notify once it is released.
worker_pool::worker* worker_pool::wake_one() {
  if (size_ == 0 || waking_ || idle_.empty()) return nullptr;
  auto* chosen = idle_.back();
  idle_.pop_back();
  chosen->woken = true;
  waking_ = true;
  return chosen;
}

}  // namespace skanu
