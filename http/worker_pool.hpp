// Threads that run the requests of connections, and the bounded queue in front of them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace skanu {

class connection;

/// Thread-safe. The pool owns no connection.
class worker_pool {
 public:
  /// `serve` runs on the workers and must not throw.
  worker_pool(size_t workers, size_t capacity, std::function<void(connection&)> serve);
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
  struct worker {
    std::condition_variable wake;
    bool woken = false;
    std::thread thread;
  };

  void run(worker& self);
  connection* next(worker& self);
  worker* wake_one();

  std::function<void(connection&)> serve_;
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
