// Faults on demand, for demonstrations and tests: a slow payment service, refusals, lost replies,
// and a crash of the process at a named point.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/operations/randomness.hpp"

namespace skanu {

/// The faults of one process. The program adds all faults before any other thread starts;
/// afterwards any thread may call the other functions.
class fault_plan {
 public:
  using milliseconds = std::chrono::milliseconds;
  using clock = std::chrono::steady_clock;

  explicit fault_plan(std::uint64_t seed = seed_by_chance()) : chance_(seed) {}

  /// Adds the fault NAME=VALUE or NAME=VALUE@FROM..TO. Returns an explanation of a wrong text, else
  /// nullopt.
  std::optional<std::string> add(std::string_view text);

  /// Starts the windows: `ready` is the moment of the node's readiness. Before `ready` no fault is
  /// active, except crash points without a window.
  void begin(clock::time_point ready) { ready_.store(ready.time_since_epoch().count()); }

  /// The delay of the order service's present request to the payment service; nullopt: no delay.
  std::optional<milliseconds> payment_delay();
  /// Decides by chance whether payment refuses the present request before its commit.
  bool payment_fails() { return happens(payment_fail_); }
  /// Decides by chance whether payment carries out the present request and loses the reply.
  bool payment_loses_reply() { return happens(payment_lose_reply_); }

  /// Counts passes of a named point; kills the process with SIGKILL at the configured pass. Passes
  /// outside a crash's window do not count.
  void pass(std::string_view point, std::int64_t times = 1) noexcept;

  /// True with any payment fault configured.
  bool touches_payment() const {
    return !payment_delay_.empty() || !payment_fail_.empty() || !payment_lose_reply_.empty();
  }

  /// The text of `--fault help`.
  static std::string help();
  /// The names of all crash points.
  static const std::vector<std::string>& points();

 private:
  struct window {
    milliseconds from{0};
    milliseconds to = milliseconds::max();
    bool operator==(const window&) const = default;
  };
  struct chance {
    double probability;
    window when;
  };
  struct delay {
    milliseconds least, most;
    window when;
  };
  struct crash {
    std::string point;
    std::atomic<std::int64_t> passes_left;
    window when;
    crash(std::string p, std::int64_t n, window w) : point(std::move(p)), passes_left(n), when(w) {}
  };

  bool active(const window& w) const;
  bool happens(const std::vector<chance>& chances);

  /// Uniform from 0 to 1.
  double throw_dice() { return std::uniform_real_distribution<>(0, 1)(chance_); }

  seed_source chance_;
  std::atomic<clock::rep> ready_ = 0;
  std::vector<delay> payment_delay_;
  std::vector<chance> payment_fail_;
  std::vector<chance> payment_lose_reply_;
  std::vector<std::unique_ptr<crash>> crashes_;
};

}  // namespace skanu
