// A circuit breaker with Resilience4j's terms and semantics: a count-based sliding window, failure
// and slow-call rates, and a half-open state with a few permitted calls. Pure: time is an argument.
//
//   CLOSED ──rate at or over the threshold──▶ OPEN ──after open_for, at the next call──▶ HALF_OPEN
//      ▲                                       ▲                                            │
//      └──────────── all permitted calls in, rate below ◀───────────────────────────────────┤
//                                              └── rate at or over, or half_open_for over ◀─┘
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

namespace skanu {

struct circuit_breaker_settings {
  std::size_t window = 100;         ///< Calls in a rate.
  std::size_t minimum_calls = 20;   ///< With fewer calls the rates are unknown.
  double failure_threshold = 50.0;  ///< Percent.
  double slow_threshold = 100.0;    ///< Percent.
  std::chrono::milliseconds slow_after{60'000};
  std::chrono::milliseconds open_for{5'000};
  std::size_t half_open_calls = 5;
  std::chrono::milliseconds half_open_for{5'000};
};

/// The numbers travel between nodes.
enum class breaker_state : std::uint8_t { closed = 0, open = 1, half_open = 2 };

constexpr breaker_state last_of(breaker_state) { return breaker_state::half_open; }

std::string_view name_of(breaker_state s);

/// The end of a permitted call.
enum class call_outcome : std::uint8_t { success, failure, timeout };

constexpr std::string_view name_of(call_outcome o) {
  switch (o) {
    case call_outcome::success: return "success";
    case call_outcome::failure: return "failure";
    case call_outcome::timeout: return "timeout";
  }
  return "unknown";
}

/// Not thread-safe: belongs to a single actor.
class circuit_breaker {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// The right to make a single call; goes back through record() or release().
  struct permit {
    std::uint64_t generation = 0;  ///< Results of calls begun in an earlier state do not count.
    time began;
  };

  /// Figures for operators.
  struct figures {
    breaker_state state = breaker_state::closed;
    double failure_rate = -1;  ///< Percent; -1 before minimum_calls.
    double slow_call_rate = -1;
    std::size_t buffered_calls = 0;
    std::size_t failed_calls = 0;
    std::int64_t not_permitted_calls = 0;

    template <class Self, class Visitor>
    static constexpr void fields(Self& self, Visitor& visit) {
      visit("state", self.state);
      visit("failureRate", self.failure_rate);
      visit("slowCallRate", self.slow_call_rate);
      visit("bufferedCalls", self.buffered_calls);
      visit("failedCalls", self.failed_calls);
      visit("notPermittedCalls", self.not_permitted_calls);
    }
  };

  explicit circuit_breaker(circuit_breaker_settings settings = {})
      : settings_(settings), counts_from_(settings.minimum_calls) {}

  /// Returns the right to call now; nullopt counts a call as not permitted.
  std::optional<permit> try_acquire(time now);
  /// Gives back the right to a call that was not made; no figure counts the call.
  void release(const permit& p);
  void record(const permit& p, bool success, time now);

  /// Returns the time until a call may be permitted again; zero: now.
  std::chrono::milliseconds retry_after(time now) const;
  breaker_state state() const { return state_; }
  figures show() const;

 private:
  struct call {
    bool failed;
    bool slow;
  };

  void enter(breaker_state next, time now);
  bool over_threshold() const;
  double rate_of(std::size_t calls) const;

  circuit_breaker_settings settings_;
  breaker_state state_ = breaker_state::closed;
  std::uint64_t generation_ = 0;
  time since_{};
  std::deque<call> calls_;
  std::size_t counts_from_;  ///< With fewer calls the rates are unknown.
  std::size_t failed_ = 0;
  std::size_t slow_ = 0;
  std::size_t permitted_ = 0;  ///< Rights given out in the half-open state.
  std::int64_t not_permitted_ = 0;
};

}  // namespace skanu
