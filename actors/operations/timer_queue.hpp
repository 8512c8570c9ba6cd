// Entries with a time at which each is due: one ordered structure in the place of several timers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace skanu {

/// Gives its entries back in the order of their times; those of one time in the order in which they
/// were added. An entry is not taken out before its time: the owner passes over entries that mean
/// nothing any more. Adding an entry that is due last takes constant time. Not thread-safe.
template <class Entry>
class timer_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  void add(time_point due, Entry entry) {
    timers_.push_back({due, added_++, std::move(entry)});
    std::push_heap(timers_.begin(), timers_.end(), later);
  }

  /// The first entry, if that is due at `now`.
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
