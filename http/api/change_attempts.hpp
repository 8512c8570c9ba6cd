// The attempts at one change, without a clock or a wait: when to try again, and when to give up.
#pragma once

#include <chrono>
#include <optional>
#include <variant>

#include "actors/operations/backoff.hpp"
#include "messages/deadlines.hpp"
#include "messages/reply.hpp"

namespace skanu {

/// A fiber waits between the attempts in the program; a simulation steps over the waits.
class change_attempts {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit change_attempts(time_point began) : began_(began) {}

  /// The services give up then, and know whether the change was made.
  time_point until() const { return began_ + call_deadline; }
  /// The client's wait ends then, with an unknown outcome.
  time_point answered_until() const { return began_ + waiting_deadline; }

  /// Returns the time of the next attempt after a result; nullopt for a result to keep.
  template <class Random>
  std::optional<time_point> next(const outcome& result, time_point now, Random& random) {
    if (!is_worth_repeating(result)) return std::nullopt;
    const auto at = now + backoff(pause, ++made_, random);
    return at < until() ? std::optional(at) : std::nullopt;
  }

 private:
  static constexpr backoff_settings pause{std::chrono::milliseconds{5},
                                          std::chrono::milliseconds{200}};

  /// True where no change was made, and the next attempt may meet a recovered entity.
  static bool is_worth_repeating(const outcome& result) {
    const auto* e = std::get_if<error>(&result);
    return e && (e->code == errc::entity_failed || e->code == errc::conflicting_commit);
  }

  time_point began_;
  int made_ = 0;
};

}  // namespace skanu
