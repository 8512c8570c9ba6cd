// Runs the requests of connections: few threads, many requests that may wait at once, and the
// bounded queue in front of them.
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
  size_t threads = 16;    ///< That run requests.
  size_t requests = 512;  ///< Begun and not finished: most of them wait in a oneshot.
  size_t queued = 1024;   ///< Not begun.
};

/// Each request runs on a fiber of one of the threads: where it waits in a oneshot, its
/// thread goes on with others. Whatever else blocks, blocks the thread. Thread-safe. The pool owns
/// no connection.
class worker_pool {
 public:
  /// `serve` runs on the workers and must not throw.
  worker_pool(worker_pool_size size, std::function<void(connection&)> serve);
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  /// Stops.
  ~worker_pool();

  /// False where the queue is full or the pool is stopped.
  bool push(connection& ready);
  size_t queued() const;
  /// Drops what is queued and waits for what is running. Idempotent; not for concurrent use.
  void stop();

 private:
  struct worker;

  /// A request's place to run; it is used again for another request once it is done.
  class runner final : public waiter {
   public:
    runner(worker_pool& pool, worker& on);
    void sleep_until(std::unique_lock<std::mutex>& lock, clock::time_point until) override;
    void wake() noexcept override;

    /// By its thread.
    void begin(connection& with);
    void go_on();
    void end();

    bool asleep = false;     // its thread's
    runner* next = nullptr;  // of those woken; like `woken`, guarded by the worker's mutex
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
    runner* first_woken = nullptr;  // guarded by the mutex, as is what follows
    runner* last_woken = nullptr;
    bool called = false;  // something is in the queue
    bool sleeps = false;
    bool chosen = false;  // to look at the queue; guarded by the pool's mutex

    // Its thread's:
    std::vector<std::unique_ptr<runner>> runners;
    std::vector<runner*> free;
    std::set<deadline> deadlines;  // of those that sleep
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
  bool waking_ = false;        // one has been woken and has not looked at the queue yet
  bool stopped_ = false;
  std::vector<worker> workers_;
};

}  // namespace skanu
