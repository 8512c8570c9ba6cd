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
  std::size_t window = 100;         ///< Calls that the rates are counted over.
  std::size_t minimum_calls = 20;   ///< Before so many, no rate is known.
  double failure_threshold = 50.0;  ///< Percent.
  double slow_threshold = 100.0;    ///< Percent.
  std::chrono::milliseconds slow_after{60'000};
  std::chrono::milliseconds open_for{5'000};
  std::size_t half_open_calls = 5;
  std::chrono::milliseconds half_open_for{5'000};
};

enum class breaker_state : std::uint8_t { closed, open, half_open };

std::string_view name_of(breaker_state s);

/// The end of a call that the breaker let through.
enum class call_outcome : std::uint8_t { success, failure, timeout };

constexpr std::string_view name_of(call_outcome o) {
  switch (o) {
    case call_outcome::success: return "success";
    case call_outcome::failure: return "failure";
    case call_outcome::timeout: return "timeout";
  }
  return "unknown";
}

/// Not thread-safe: it belongs to one actor.
class circuit_breaker {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// The right to make one call, to be handed back with its result.
  struct permit {
    std::uint64_t generation = 0;  ///< Results of calls begun in an earlier state do not count.
    time began;
  };

  /// What is shown to operators.
  struct figures {
    breaker_state state = breaker_state::closed;
    double failure_rate = -1;  ///< Percent; -1 before minimum_calls.
    double slow_call_rate = -1;
    std::size_t buffered_calls = 0;
    std::size_t failed_calls = 0;
    std::int64_t not_permitted_calls = 0;
  };

  explicit circuit_breaker(circuit_breaker_settings settings = {})
      : settings_(settings), counts_from_(settings.minimum_calls) {}

  /// The right to call now, or nothing: then the call is counted as not permitted.
  std::optional<permit> try_acquire(time now);
  /// A permitted call that was not made after all: gives its right back uncounted.
  void release(const permit& p);
  void record(const permit& p, bool success, time now);

  /// How long until a call may be permitted again; zero where it may now.
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
  std::size_t counts_from_;  ///< Calls from which on their rates are known.
  std::size_t failed_ = 0;
  std::size_t slow_ = 0;
  std::size_t permitted_ = 0;  ///< Rights given out in the half-open state.
  std::int64_t not_permitted_ = 0;
};

}  // namespace skanu
