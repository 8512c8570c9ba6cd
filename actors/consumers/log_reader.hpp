// The reading half of a consumer keeps the positions in the logs, and plans the pulls. Pure: the
// consumer asks the logs, stores the rows and says the time.
//
// A turn pulls from every log due for reading. The answers move the positions, the consumer stores
// the rows together with the effects of the events, and plans the next turn.
//
//   resting ──begin_turn──▶ pulling ──last answer──▶ working ──stored, rest──▶ resting
//      │                                                                          ▲
//      └──hold──▶ working on an errand ──rest─────────────────────────────────────┘
//
// A hint makes a log due after a window, for further events to come. A full batch makes the log due
// at once. A failed log is due after a backoff, or after the next hint, and holds up no other.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "actors/operations/backoff.hpp"
#include "actors/rules/consumers.hpp"
#include "persistence/log/log_position.hpp"

namespace skanu {

struct log_reader_limits {
  std::size_t batch = 512;               ///< Events read from one log in one turn.
  std::chrono::milliseconds window{10};  ///< Wait between a hint and the read.
  backoff_settings retry;                ///< Backoff after failed pulls.
};

/// Belongs to one consumer; not thread-safe.
class log_reader {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// A log, with the name of the stored positions.
  struct source {
    consumer who;
    std::vector<std::string> types = {};  ///< The events to be read; empty: all.
  };
  /// A query to a log; `log` is the log's number in the order of the sources.
  struct pull {
    std::size_t log = 0;
    log_query query;
  };

  log_reader(std::vector<source> sources, const log_reader_limits& limits);

  /// Takes up the stored places. Throws store_error and decode_error.
  void recover(const snapshot& from);

  /// Notes a hint: the service's log has grown, and answers again after failures.
  void hint(service of);

  /// Returns the time of the next turn, if earlier than every time returned since the last turn;
  /// nullopt else, and while no log is to be read or the consumer works.
  std::optional<time_point> plan(time_point now);
  /// True where a planned turn should begin now.
  bool is_due(time_point now) const;

  /// Begins a turn, and returns the pulls to send. Without a pull the turn is over already.
  std::vector<pull> begin_turn(time_point now);
  /// Takes the log's answer. Returns the fork if the log was replaced: then the position moves back
  /// behind the last event common to both logs, and events are read again.
  std::optional<log_fork> take(std::size_t log, const event_batch& batch, instant wall_clock);
  /// Notes a pull without an answer; the log is due again after a backoff.
  template <class Random>
  void fail(std::size_t log, time_point now, Random& random) {
    fail_until(log, now + backoff(limits_.retry, ++logs_[log].failures, random));
  }
  /// True while questions of the turn have no answer.
  bool pulling() const { return open_pulls_ > 0; }

  /// True if the turn moved a position or met a fork, so rows() are to be stored.
  bool moved() const;
  /// Returns the rows to store the positions behind the turn, and the forks met in the turn.
  std::vector<row_write> rows() const;
  /// Moves the positions behind the turn; to be called once rows() are durable.
  void stored();

  /// Begins work of the consumer outside a turn.
  void hold() { resting_ = false; }
  /// Ends the turn, or the work since hold().
  void rest() { resting_ = true; }
  bool resting() const { return resting_; }

  /// Progress in a log.
  const log_position& position(std::size_t log) const { return logs_[log].at; }
  const consumer& consumer_of(std::size_t log) const { return logs_[log].from.who; }
  std::size_t size() const { return logs_.size(); }
  /// Returns the number of a service's log; nullopt for a log not among the sources.
  std::optional<std::size_t> number_of(service followed) const;

 private:
  enum class wish : std::uint8_t { none, soon, at_once };

  struct followed_log {
    source from;
    log_position at = {};    ///< Behind the events worked off.
    log_position then = {};  ///< Behind the turn under way.
    std::optional<log_fork> fork = {};
    wish wants = wish::at_once;
    int failures = 0;  ///< Consecutive failed pulls.
    time_point retry_at = {};

    bool moved() const { return at.next != then.next || fork; }
  };

  void fail_until(std::size_t log, time_point retry_at);

  log_reader_limits limits_;
  std::vector<followed_log> logs_;
  std::optional<time_point> planned_;  ///< Time of the planned turn, if any.
  std::size_t open_pulls_ = 0;
  bool resting_ = true;
};

}  // namespace skanu
