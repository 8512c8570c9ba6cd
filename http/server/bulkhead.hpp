// Keeps one service that is slow or stuck from taking the places of requests that the others need.
#pragma once

#include <atomic>
#include <chrono>

namespace skanu {

/// Counts who waits for one service, and turns further ones away at a bound, or at a lower one once
/// the service has been silent. Lock-free; any thread.
class bulkhead {
 public:
  using clock = std::chrono::steady_clock;

  struct limits {
    int waiting_max = 224;             ///< Who may wait at once.
    int waiting_max_when_silent = 64;  ///< So many may wait even for a service that says nothing.
    std::chrono::milliseconds silence{500};  ///< Without any answer, while somebody waits.
  };

  bulkhead() : bulkhead(limits{}) {}
  /// Who is let in here has a place in `outer` too, which outlives this.
  explicit bulkhead(limits bounds, bulkhead* outer = nullptr) : bounds_(bounds), outer_(outer) {}

  /// One who waits; false where it was turned away.
  class place {
   public:
    place(bulkhead& of, clock::time_point now) : of_(of.enter(now) ? &of : nullptr) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {
      if (of_) of_->leave();
    }
    explicit operator bool() const { return of_ != nullptr; }

   private:
    bulkhead* of_;
  };

  /// The service answered somebody.
  void heard(clock::time_point now) noexcept { heard_.store(now, std::memory_order_relaxed); }

 private:
  bool enter(clock::time_point now) noexcept {
    if (outer_ && !outer_->enter(now)) return false;
    // Silence is counted while somebody waits: a burst after an idle hour meets no suspicion.
    if (waiting_.load() == 0) heard_.store(now);
    const auto before = waiting_.fetch_add(1);
    if (before < bounds_.waiting_max &&
        (before < bounds_.waiting_max_when_silent || now - heard_.load() < bounds_.silence))
      return true;
    leave();
    return false;
  }

  void leave() noexcept {
    --waiting_;
    if (outer_) outer_->leave();
  }

  const limits bounds_;
  bulkhead* const outer_;
  std::atomic<int> waiting_ = 0;
  std::atomic<clock::time_point> heard_{};
};

}  // namespace skanu
