// Carries out one piece of work at a time, on a thread of its own.
#pragma once

#include "http/server/oneshot.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace skanu {

/// For work that is long, so that however many ask for it, it takes one processor and none of the
/// threads that serve the others. First in, first out. Thread-safe.
class serial_executor {
 public:
  using clock = waiter::clock;

  explicit serial_executor(std::size_t most_waiting);
  serial_executor(const serial_executor&) = delete;
  serial_executor& operator=(const serial_executor&) = delete;
  /// Waits for what is under way and drops the rest. Nobody may be in `run`.
  ~serial_executor();

  /// What `work` returns; throws what it throws. Nothing where too many wait already, or it was not
  /// done in time: then it may still run, so it holds all that it needs.
  template <class Work>
  auto run(Work work, clock::time_point until) {
    using result = std::invoke_result_t<Work&>;
    const auto place = std::make_shared<oneshot<std::future<result>>>();
    const bool queued = push([place, work = std::move(work), until] {
      if (clock::now() >= until) return;
      std::packaged_task<result()> task(work);
      task();
      place->deliver(task.get_future());
    });
    auto done = queued ? place->wait_until(until) : std::nullopt;
    return done ? std::optional<result>(done->get()) : std::nullopt;
  }

 private:
  bool push(std::function<void()> work);
  void work_off();

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace skanu
