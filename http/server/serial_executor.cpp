#include "http/server/serial_executor.hpp"

namespace skanu {

serial_executor::serial_executor(std::size_t most_waiting)
    : most_waiting_(most_waiting), thread_([this] { work_off(); }) {}

serial_executor::~serial_executor() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  more_.notify_one();
  thread_.join();
}

bool serial_executor::push(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  more_.notify_one();
  return true;
}

void serial_executor::work_off() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next();
    next = nullptr;  // without the lock, since destruction may take long
    lock.lock();
  }
}

}  // namespace skanu
