// Faults on demand, for demonstrations and tests: a payment that is slow, refuses or loses replies,
// and a process that dies at a named point.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// The faults of one process. Parsed before anything starts; afterwards any thread may ask.
class fault_plan {
 public:
  using milliseconds = std::chrono::milliseconds;
  using clock = std::chrono::steady_clock;

  /// Takes NAME=VALUE or NAME=VALUE@FROM..TO; returns what is wrong with it, or nothing.
  std::optional<std::string> add(std::string_view text);

  /// Windows count from here: the moment when the node is ready. Before it no fault is active, but
  /// crash points without a window count from the start.
  void begin(clock::time_point ready) { ready_.store(ready.time_since_epoch().count()); }

  /// How long the payment service lets a request of the order service wait now.
  std::optional<milliseconds> payment_delay();
  /// Whether it refuses this one before its commit.
  bool payment_fails() { return happens(payment_fail_); }
  /// Whether it carries this one out and says nothing.
  bool payment_loses_reply() { return happens(payment_lose_reply_); }

  /// Passes a named point; the process dies here where it was asked to. Passes outside of a crash's
  /// window do not count.
  void pass(std::string_view point, std::int64_t times = 1) noexcept;

  /// Any payment fault at all.
  bool touches_payment() const {
    return !payment_delay_.empty() || !payment_fail_.empty() || !payment_lose_reply_.empty();
  }

  /// What `--fault help` prints.
  static std::string help();
  /// Every crash point.
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

  std::atomic<clock::rep> ready_ = 0;
  std::vector<delay> payment_delay_;
  std::vector<chance> payment_fail_;
  std::vector<chance> payment_lose_reply_;
  std::vector<std::unique_ptr<crash>> crashes_;
};

}  // namespace skanu
