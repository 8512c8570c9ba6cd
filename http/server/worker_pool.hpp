// Runs the requests of connections: few threads, many requests that may wait at once, and a bounded
// queue in front.
#pragma once

#include "http/server/fiber.hpp"
#include "http/server/oneshot.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace skanu {

class connection;

struct worker_pool_size {
  size_t threads = 16;    ///< Threads that run requests.
  size_t requests = 512;  ///< Requests begun and unfinished; most wait in a oneshot.
  size_t queued = 1024;   ///< Requests not begun.
};

/// Runs each request on a fiber of a thread. While a request waits in a oneshot, the thread runs
/// other requests; any other blocking call blocks the thread. Thread-safe. The pool owns no
/// connection.
class worker_pool {
 public:
  /// `serve` runs on the workers and must not throw.
  worker_pool(worker_pool_size size, std::function<void(connection&)> serve);
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  /// Calls `stop`.
  ~worker_pool();

  /// Returns false where the queue is full or the pool is stopped.
  bool push(connection& ready);
  size_t queued() const;
  /// Drops the queued requests and waits for the running requests. Idempotent; not for concurrent
  /// use.
  void stop();

 private:
  struct worker;

  /// The fiber of a request, reused for another request afterwards.
  class runner final : public waiter {
   public:
    runner(worker_pool& pool, worker& on);
    void sleep_until(std::unique_lock<std::mutex>& lock, clock::time_point until) override;
    void wake() noexcept override;

    /// Called on the worker's thread.
    void begin(connection& with);
    void go_on();
    void end();

    bool asleep = false;     // for the worker's thread alone
    runner* next = nullptr;  // next woken runner; like `woken`, guarded by worker::mutex
    bool woken = false;
    clock::time_point until;

   private:
    void run();

    worker_pool& pool_;
    worker& on_;
    connection* serves_ = nullptr;
    bool ended_ = false;
    fiber fiber_;
  };

  struct worker {
    using deadline = std::pair<waiter::clock::time_point, runner*>;

    std::mutex mutex;
    std::condition_variable wake;
    runner* first_woken = nullptr;  // guarded by the mutex, like last_woken, called and sleeps
    runner* last_woken = nullptr;
    bool called = false;  // set by call(): the queue has a request, or the pool stops
    bool sleeps = false;
    bool chosen = false;  // to look at the queue; guarded by the pool's mutex

    // For the worker's thread alone:
    std::vector<std::unique_ptr<runner>> runners;
    std::vector<runner*> free;
    std::set<deadline> deadlines;  // of the sleeping runners
    std::thread thread;
  };

  void run(worker& self);
  void go_on_with_woken(worker& self);
  void go_on_with_overdue(worker& self);
  void begin(worker& self, connection& with);
  connection* take(worker& self);
  bool sleep(worker& self);
  worker* wake_one();
  static void call(worker* woken);

  std::function<void(connection&)> serve_;
  const worker_pool_size size_limits_;
  std::atomic<size_t> running_{0};
  mutable std::mutex mutex_;
  std::vector<connection*> queue_;  // a ring
  size_t first_ = 0;
  size_t size_ = 0;
  std::vector<worker*> idle_;  // the last to fall asleep is woken first: its stack is warm
  bool waking_ = false;        // a woken worker has not looked at the queue yet
  bool stopped_ = false;
  std::vector<worker> workers_;
};

}  // namespace skanu
