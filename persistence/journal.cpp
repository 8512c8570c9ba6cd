#include "persistence/journal.hpp"

#include <algorithm>
#include <iterator>

namespace skanu {

/// Bookkeeping of a commit with the owner; friend of commit_owner.
class commit_ticket {
 public:
  static void handed_over(commit_owner& owner) {
    owner.in_flight_.fetch_add(1, std::memory_order_acq_rel);
  }

  static commit_result failure_of(const commit_owner& owner) {
    const auto failure = owner.failure_.load(std::memory_order_acquire);
    if (failure < 0) return std::nullopt;
    return static_cast<errc>(failure);
  }

  /// Records a failure and returns the owner's first failure, the cause of all later ones.
  static errc failed(commit_owner& owner, errc code) {
    int none = -1;
    if (!owner.failure_.compare_exchange_strong(none, static_cast<int>(code)))
      return static_cast<errc>(none);
    owner.on_failed(code);
    return code;
  }

  static void answered(commit_owner& owner) {
    owner.in_flight_.fetch_sub(1, std::memory_order_acq_rel);
  }
};

namespace {

std::string sentence_of(errc code) {
  switch (code) {
    case errc::store_full: return "There is no room to store it. Nothing was changed.";
    case errc::overloaded:
      return "Too much is waiting. Nothing was changed; please come back a little later.";
    case errc::outcome_unknown:
      return "It could not be made sure that it is stored: it may or may not have happened.";
    case errc::damaged: return std::string(unreadable(code));
    default: return "It could not be stored. Nothing was changed.";
  }
}

void answer(pending_commit& c, commit_result result) {
  if (result) {
    const auto code = commit_ticket::failed(*c.owner, *result);
    c.answer(error{code, sentence_of(code)});
  } else {
    c.answer(std::move(c.result));
  }
  commit_ticket::answered(*c.owner);
}

/// Returns an earlier failure of the commit's owner, or of the owner in `builds_on`.
commit_result inherited_failure(const pending_commit& c) {
  if (const auto own = commit_ticket::failure_of(*c.owner)) return own;
  return c.builds_on ? commit_ticket::failure_of(*c.builds_on) : std::nullopt;
}

}  // namespace

void note_handed_over(commit_owner& owner) { commit_ticket::handed_over(owner); }

void write_and_answer(store& target, std::vector<pending_commit>& batch,
                      journal_observer* observer) {
  const auto began = std::chrono::steady_clock::now();
  const auto doomed = std::stable_partition(batch.begin(), batch.end(),
                                            [](const auto& c) { return !inherited_failure(c); });
  for (auto i = doomed; i != batch.end(); ++i) answer(*i, inherited_failure(*i));
  batch.erase(doomed, batch.end());
  if (batch.empty()) return;
  if (observer) observer->before_write(batch);
  std::vector<const commit*> data;
  data.reserve(batch.size());
  for (const auto& c : batch) data.push_back(&c.data);
  const auto results = !observer || observer->may_write()
                           ? target.write(data)
                           : std::vector<commit_result>(data.size(), errc::store_failed);
  if (observer)
    observer->after_write(batch, results,
                          std::chrono::duration_cast<std::chrono::microseconds>(
                              std::chrono::steady_clock::now() - began));
  for (std::size_t i = 0; i < batch.size(); ++i) answer(batch[i], results[i]);
  batch.clear();
}

journal::journal(store& target, journal_observer* observer, limits bounds)
    : target_(target), observer_(observer), bounds_(bounds), thread_([this] { run(); }) {}

journal::~journal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  there_is_work_.notify_one();
  thread_.join();
}

void journal::submit(pending_commit c) {
  note_handed_over(*c.owner);
  {
    std::unique_lock lock(mutex_);
    if (waiting_.size() < bounds_.waiting) {
      waiting_.push_back(std::move(c));
      const bool first = waiting_.size() == 1;
      lock.unlock();
      if (first) there_is_work_.notify_one();
      return;
    }
  }
  answer(c, errc::overloaded);
}

std::size_t journal::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void journal::run() {
  std::vector<pending_commit> batch;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      there_is_work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      if (waiting_.size() <= bounds_.batch) {
        batch.swap(waiting_);
      } else {
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(bounds_.batch);
        batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
      }
    }
    write_and_answer(target_, batch, observer_);
  }
}

}  // namespace skanu
