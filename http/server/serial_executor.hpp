// Runs pieces of work in sequence, on a dedicated thread.
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

/// For long work: however many callers there are, the work takes a single processor and no thread
/// that serves other requests. First in, first out. Thread-safe.
class serial_executor {
 public:
  using clock = waiter::clock;

  explicit serial_executor(std::size_t most_waiting);
  serial_executor(const serial_executor&) = delete;
  serial_executor& operator=(const serial_executor&) = delete;
  /// Waits for the running work and drops the rest. No thread may be in `run`.
  ~serial_executor();

  /// Returns the result of `work` or throws its exception. Returns nullopt where too many callers
  /// wait already, or at `until`. The work may still run afterwards, so `work` must own its data.
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
