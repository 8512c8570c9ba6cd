#include "http/server/oneshot.hpp"

#include <condition_variable>

namespace skanu {
namespace {

class sleeping_thread final : public waiter {
 public:
  void sleep_until(std::unique_lock<std::mutex>& lock, clock::time_point until) override {
    woken_.wait_until(lock, until);
  }
  void wake() noexcept override { woken_.notify_one(); }

 private:
  std::condition_variable woken_;
};

thread_local waiter* runs_here = nullptr;

}  // namespace

waiter& waiter::current() {
  if (runs_here != nullptr) return *runs_here;
  thread_local sleeping_thread this_thread;
  return this_thread;
}

void waiter::set_current(waiter* runs) noexcept { runs_here = runs; }

}  // namespace skanu
