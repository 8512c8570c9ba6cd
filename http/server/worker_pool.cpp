// Wakes a single worker at a time: a woken worker that leaves connections in the queue wakes the
// next. So a few threads work off a burst of quick requests. Answers that come in together wake a
// worker once, however many of its requests wait.
#include "http/server/worker_pool.hpp"

#include <algorithm>

namespace skanu {
namespace {

/// Stack of a request; untouched pages cost only addresses.
constexpr size_t stack_bytes = std::size_t{256} * 1024;

}  // namespace

// --- One request ------------------------------------------------------------------------------

worker_pool::runner::runner(worker_pool& pool, worker& on)
    : pool_{pool}, on_{on}, fiber_{stack_bytes, [this] { run(); }} {}

void worker_pool::runner::run() {
  while (!ended_) {
    pool_.serve_(*serves_);
    pool_.running_.fetch_sub(1, std::memory_order_relaxed);
    on_.free.push_back(this);
    fiber_.pause();
  }
}

void worker_pool::runner::begin(connection& with) {
  serves_ = &with;
  go_on();
}

void worker_pool::runner::go_on() {
  set_current(this);
  fiber_.resume();
  set_current(nullptr);
}

void worker_pool::runner::end() {
  ended_ = true;
  fiber_.resume();
}

void worker_pool::runner::sleep_until(std::unique_lock<std::mutex>& lock, clock::time_point t) {
  until = t;
  on_.deadlines.emplace(until, this);
  asleep = true;
  lock.unlock();
  fiber_.pause();
  lock.lock();
}

void worker_pool::runner::wake() noexcept {
  bool call = false;
  {
    const std::lock_guard lock{on_.mutex};
    if (std::exchange(woken, true)) return;
    next = nullptr;
    (on_.first_woken == nullptr ? on_.first_woken : on_.last_woken->next) = this;
    on_.last_woken = this;
    call = std::exchange(on_.sleeps, false);
  }
  if (call) on_.wake.notify_one();
}

// --- The pool ---------------------------------------------------------------------------------

worker_pool::worker_pool(worker_pool_size size, std::function<void(connection&)> serve)
    : serve_{std::move(serve)},
      size_limits_{size},
      queue_(size.queued),
      workers_(std::min(size.threads, size.requests)) {
  idle_.reserve(workers_.size());
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
  call(woken);
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
  for (auto& each : workers_) call(&each);
  for (auto& each : workers_) {
    if (each.thread.joinable()) each.thread.join();
  }
}

void worker_pool::run(worker& self) {
  do {
    // The queue first: no other worker is woken for the queue before a chosen worker has looked.
    if (auto* ready = take(self)) begin(self, *ready);
    go_on_with_overdue(self);
    go_on_with_woken(self);
  } while (sleep(self));
  for (auto& each : self.runners) each->end();
  self.runners.clear();
}

void worker_pool::go_on_with_woken(worker& self) {
  runner* each = nullptr;
  {
    const std::lock_guard lock{self.mutex};
    each = std::exchange(self.first_woken, nullptr);
  }
  while (each != nullptr) {
    runner* following = nullptr;
    {
      // Reads the link before the runner goes on: the runner's next wake writes the link again.
      const std::lock_guard lock{self.mutex};
      following = each->next;
      each->woken = false;
    }
    if (std::exchange(each->asleep, false)) {
      self.deadlines.erase({each->until, each});
      each->go_on();
    }
    each = following;
  }
}

void worker_pool::go_on_with_overdue(worker& self) {
  if (self.deadlines.empty()) return;
  const auto now = waiter::clock::now();
  while (!self.deadlines.empty() && self.deadlines.begin()->first <= now) {
    auto& each = *self.deadlines.begin()->second;
    self.deadlines.erase(self.deadlines.begin());
    each.asleep = false;
    each.go_on();
  }
}

void worker_pool::begin(worker& self, connection& with) {
  if (self.free.empty()) {
    self.runners.push_back(std::make_unique<runner>(*this, self));
    self.free.push_back(self.runners.back().get());
  }
  auto& one = *self.free.back();
  self.free.pop_back();
  one.begin(with);
}

connection* worker_pool::take(worker& self) {
  connection* taken = nullptr;
  worker* woken = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(self.chosen, false)) waking_ = false;
    if (size_ == 0 || running_.load(std::memory_order_relaxed) >= size_limits_.requests)
      return nullptr;
    running_.fetch_add(1, std::memory_order_relaxed);
    taken = queue_[first_];
    first_ = (first_ + 1) % queue_.size();
    --size_;
    woken = wake_one();
  }
  call(woken);
  return taken;
}

// Sleeps until there is work. Returns false once the pool is stopped and every request is done.
bool worker_pool::sleep(worker& self) {
  {
    const std::lock_guard lock{mutex_};
    const bool may_begin =
        size_ > 0 && running_.load(std::memory_order_relaxed) < size_limits_.requests;
    if (may_begin || self.chosen) return true;
    if (stopped_ && self.free.size() == self.runners.size()) return false;
    idle_.push_back(&self);
  }
  {
    std::unique_lock lock{self.mutex};
    self.sleeps = true;
    const auto woken = [&] { return self.called || self.first_woken != nullptr; };
    if (self.deadlines.empty()) {
      self.wake.wait(lock, woken);
    } else {
      self.wake.wait_until(lock, self.deadlines.begin()->first, woken);
    }
    self.sleeps = self.called = false;
  }
  const std::lock_guard lock{mutex_};
  std::erase(idle_, &self);  // no entry is left where wake_one() chose the worker
  return true;
}

// Called with the mutex held. Returns the worker to call after the mutex is released, or null.
worker_pool::worker* worker_pool::wake_one() {
  if (size_ == 0 || waking_ || idle_.empty() ||
      running_.load(std::memory_order_relaxed) >= size_limits_.requests)
    return nullptr;
  auto* chosen = idle_.back();
  idle_.pop_back();
  chosen->chosen = waking_ = true;
  return chosen;
}

void worker_pool::call(worker* woken) {
  if (woken == nullptr) return;
  {
    const std::lock_guard lock{woken->mutex};
    woken->called = true;
    woken->sleeps = false;
  }
  woken->wake.notify_one();
}

}  // namespace skanu
