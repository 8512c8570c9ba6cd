// A queue of entries with due times: one ordered structure in the place of several timers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace skanu {

/// Gives entries back in the order of due times; entries of equal times in the order of addition.
/// No entry can be removed early: the owner passes over obsolete entries. Adding an entry due last
/// takes constant time. Not thread-safe.
template <class Entry>
class timer_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  void add(time_point due, Entry entry) {
    timers_.push_back({due, added_++, std::move(entry)});
    std::push_heap(timers_.begin(), timers_.end(), later);
  }

  /// Removes and returns the first entry, if due at `now`.
  std::optional<Entry> take_due(time_point now) {
    if (timers_.empty() || timers_.front().due > now) return std::nullopt;
    std::pop_heap(timers_.begin(), timers_.end(), later);
    std::optional<Entry> first(std::move(timers_.back().entry));
    timers_.pop_back();
    return first;
  }

  bool empty() const { return timers_.empty(); }

 private:
  struct timer {
    time_point due;
    std::uint64_t number;
    Entry entry;
  };

  static bool later(const timer& a, const timer& b) {
    return a.due != b.due ? a.due > b.due : a.number > b.number;
  }

  std::vector<timer> timers_;  ///< A heap, the first to be due in front.
  std::uint64_t added_ = 0;
};

}  // namespace skanu
