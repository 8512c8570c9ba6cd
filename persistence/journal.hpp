// The journal of one database: takes all commits that wait, writes them in one transaction with one
// flush (group commit), then answers.
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

/// Whoever has commits in the journal: an entity, a policy, a view. Once a commit of its failed,
/// its later ones were built on what is not there, and fail with the same code unread; the owner
/// learns it once, and makes way for a new one that begins from the store.
class commit_owner {
 public:
  virtual ~commit_owner() = default;

  /// The first of its commits failed. Called once, on the journal's thread or, where the queue was
  /// full, on the one that submitted; must not block.
  virtual void on_failed(errc code) noexcept = 0;

  /// Commits that were handed over and are not answered yet. Any thread.
  std::int64_t in_flight() const { return in_flight_.load(std::memory_order_acquire); }

  /// One of its commits failed: what it went on from is not in the store. Any thread; asked after
  /// in_flight() was 0, it covers all that was handed over.
  bool failed() const { return failure_.load(std::memory_order_acquire) >= 0; }

 private:
  friend class commit_ticket;
  std::atomic<std::int64_t> in_flight_ = 0;
  std::atomic<int> failure_ = -1;  ///< The errc of the first commit that failed, if one did.
};

/// The owner of one commit that builds on nothing but the store: its failure concerns nobody else.
class lone_commit_owner final : public commit_owner {
 public:
  void on_failed(errc) noexcept override {}
};

/// One commit on its way: what to write, whom to answer, what to say once it is durable.
struct pending_commit {
  commit data;
  std::shared_ptr<commit_owner> owner;
  reply answer = {};  ///< May be empty.
  outcome result = error{};
  /// Another owner, without whose earlier commits this one is worth nothing: it fails as they did.
  std::shared_ptr<commit_owner> builds_on = nullptr;
};

/// What the journal lets others see of its work. Called on the journal's thread; must not block.
class journal_observer {
 public:
  virtual ~journal_observer() = default;
  /// False: nothing is written, and every commit of the batch fails with errc::store_failed.
  virtual bool may_write() { return true; }
  /// Before the transaction of these commits.
  virtual void before_write(std::span<const pending_commit> /*batch*/) {}
  /// After the flush and before any answer. `results` has one entry per commit.
  virtual void after_write(std::span<const pending_commit> /*batch*/,
                           std::span<const commit_result> /*results*/,
                           std::chrono::microseconds /*took*/) {}
};

/// Where commits are handed over.
class commit_queue {
 public:
  virtual ~commit_queue() = default;
  /// Takes the commit. Commits become durable in the order in which they were handed over. Where
  /// the queue is at its bound, the commit fails with errc::overloaded as if the store had refused
  /// it. Any thread.
  virtual void submit(pending_commit c) = 0;
};

/// Notes that a queue takes a commit of this owner; called before anything can answer the commit.
void note_handed_over(commit_owner& owner);

/// Writes a batch and answers everybody in it: the journal's work without its thread, which tests
/// call by hand.
void write_and_answer(store& target, std::vector<pending_commit>& batch,
                      journal_observer* observer);

/// The journal's thread. Destruction writes what waits, then stops.
class journal final : public commit_queue {
 public:
  struct limits {
    std::size_t waiting = 50'000;  ///< Commits over this bound fail with errc::overloaded.
    std::size_t batch = 4'096;     ///< Commits in one transaction.
  };

  /// `target` and `observer` outlive the journal; `observer` may be null.
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
