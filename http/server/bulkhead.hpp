// Limits the requests that wait for a service, so that a slow or stuck service leaves workers to
// requests for other services.
#pragma once

#include <atomic>
#include <chrono>

namespace skanu {

/// Counts the requests that wait for a service and refuses further requests at a limit, or at a
/// lower limit once the service is silent. Lock-free; any thread.
class bulkhead {
 public:
  using clock = std::chrono::steady_clock;

  struct limits {
    int waiting_max = 224;             ///< Limit of waiting requests.
    int waiting_max_when_silent = 64;  ///< Limit once the service has been silent for `silence`.
    std::chrono::milliseconds silence{500};  ///< Time without any answer while a request waits.
  };

  bulkhead() : bulkhead(limits{}) {}
  /// A request with a place here has a place in `outer` too. `outer` outlives the bulkhead; null:
  /// no outer limit.
  explicit bulkhead(limits bounds, bulkhead* outer = nullptr) : bounds_(bounds), outer_(outer) {}

  /// A waiting request's place; false where the bulkhead refused the request.
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

  /// Notes an answer of the service.
  void heard(clock::time_point now) noexcept { heard_.store(now, std::memory_order_relaxed); }

 private:
  bool enter(clock::time_point now) noexcept {
    if (outer_ && !outer_->enter(now)) return false;
    // Silence counts only while a request waits, so that a burst after an idle hour is not refused.
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
