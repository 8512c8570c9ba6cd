// The journal of a database collects waiting commits, writes the commits in a transaction with a
// single flush (group commit), then answers.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "messages/reply.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// Groups the commits that build on one another: an entity's, a policy's, a view's. After a failed
/// commit, the journal fails every later commit of the same owner with the same code, without
/// writing the commit, and calls on_failed() once. The owner must then be discarded; a successor
/// reloads from the store.
class commit_owner {
 public:
  virtual ~commit_owner() = default;

  /// Reports the first failed commit, once. Called on the journal's thread or, if the queue is
  /// full, on the submitting thread; must not block.
  virtual void on_failed(errc code) noexcept = 0;

  /// Returns the number of commits submitted and not yet answered. Any thread.
  std::int64_t in_flight() const { return in_flight_.load(std::memory_order_acquire); }

  /// True after a failed commit: the owner's state is ahead of the store. Any thread. A call after
  /// in_flight() returned 0 covers all submitted commits.
  bool failed() const { return failure_.load(std::memory_order_acquire) >= 0; }

 private:
  friend class commit_ticket;
  std::atomic<std::int64_t> in_flight_ = 0;
  std::atomic<int> failure_ = -1;  ///< The errc of the first failure, or -1.
};

/// The owner of a single commit, built on the store alone: a failure concerns no other commit.
class lone_commit_owner final : public commit_owner {
 public:
  void on_failed(errc) noexcept override {}
};

/// A submitted commit, with the answer to give once the commit is durable.
struct pending_commit {
  commit data;
  std::shared_ptr<commit_owner> owner;
  reply answer = {};  ///< May be empty.
  outcome result = error{};
  /// Another owner with earlier commits that the commit depends on: fails if those failed.
  std::shared_ptr<commit_owner> builds_on = nullptr;
};

/// Observes the journal's work. Called on the journal's thread; must not block.
class journal_observer {
 public:
  virtual ~journal_observer() = default;
  /// Returns false to fail every commit of the batch with errc::store_failed, unwritten.
  virtual bool may_write() { return true; }
  /// Called before the transaction of the commits.
  virtual void before_write(std::span<const pending_commit> /*batch*/) {}
  /// Called after the flush and before any answer. `results` has an entry for each commit.
  virtual void after_write(std::span<const pending_commit> /*batch*/,
                           std::span<const commit_result> /*results*/,
                           std::chrono::microseconds /*took*/) {}
};

/// Accepts commits for a journal.
class commit_queue {
 public:
  virtual ~commit_queue() = default;
  /// Takes the commit. Commits become durable in the order of submission. If the queue is full, the
  /// commit fails with errc::overloaded like a refusal of the store. Any thread.
  virtual void submit(pending_commit c) = 0;
};

/// Counts a commit of the owner as in flight. Call before the commit can be answered.
void note_handed_over(commit_owner& owner);

/// Writes a batch and answers every commit: the journal's work without its thread, also for tests.
void write_and_answer(store& target, std::vector<pending_commit>& batch,
                      journal_observer* observer);

/// The journal's thread. The destructor writes all waiting commits, then stops.
class journal final : public commit_queue {
 public:
  struct limits {
    /// Limit of waiting commits; further commits fail with errc::overloaded.
    std::size_t waiting = 50'000;
    std::size_t batch = 4'096;  ///< Limit of commits in a transaction.
  };

  /// `target` and `observer` must outlive the journal; `observer` may be null.
  journal(store& target, journal_observer* observer) : journal(target, observer, limits{}) {}
  journal(store& target, journal_observer* observer, limits bounds);
  ~journal() override;
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  void submit(pending_commit c) override;
  std::size_t waiting() const;

 private:
  void run();

  store& target_;
  journal_observer* observer_;
  limits bounds_;
  mutable std::mutex mutex_;
  std::condition_variable there_is_work_;
  std::vector<pending_commit> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace skanu
