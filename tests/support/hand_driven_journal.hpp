// A disk driven by the test: commits wait until the test calls turn().
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "persistence/journal.hpp"

namespace skanu {

/// A journal without a thread. Single-threaded.
class hand_driven_journal final : public commit_queue {
 public:
  explicit hand_driven_journal(store& target, journal_observer* observer = nullptr)
      : target_(target), observer_(observer) {}

  void submit(pending_commit c) override {
    note_handed_over(*c.owner);
    waiting_.push_back(std::move(c));
  }

  /// The waiting commits, the oldest first.
  const std::vector<pending_commit>& waiting() const { return waiting_; }

  /// Writes the oldest `most` commits in one batch and answers them; false without a waiting
  /// commit.
  bool turn(std::size_t most = SIZE_MAX) {
    if (waiting_.empty()) return false;
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
    std::vector<pending_commit> batch(std::make_move_iterator(waiting_.begin()),
                                      std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    ++turns_;
    write_and_answer(target_, batch, observer_);
    return true;
  }

  /// Simulates a crash: drops the waiting commits, and answers no owner.
  void lose_everything() {
    for (auto& c : waiting_) c.answer.lose();
    waiting_.clear();
  }

  std::size_t turns() const { return turns_; }

 private:
  store& target_;
  journal_observer* observer_;
  std::vector<pending_commit> waiting_;
  std::size_t turns_ = 0;
};

}  // namespace skanu
