// The reading half of a consumer: its places in one or many logs, and when to pull from which.
// Pure: the consumer asks the logs, stores the rows and says the time.
//
// A turn pulls from every log that wants to be read. The answers move the places, the consumer
// stores their rows together with the effects of the events, and plans the next turn.
//
//   resting ──begin_turn──▶ pulling ──last answer──▶ working ──stored, rest──▶ resting
//      │                                                                          ▲
//      └──hold──▶ working, at something else than a turn ──rest───────────────────┘
//
// A log that was hinted at is read after a window, in which more events may come. A log whose last
// batch was full is read at once. A log that failed is read after a backoff, or once it hints
// again, and holds up no other.
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
  std::chrono::milliseconds window{10};  ///< At least so long between two reads that found little.
  backoff_settings retry;                ///< Backoff after failed pulls.
};

/// Belongs to one consumer; not thread-safe.
class log_reader {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// One log with the name under which its places are stored.
  struct source {
    consumer who;
    std::vector<std::string> types = {};  ///< The events to be read; empty: all.
  };
  /// A question to one of the logs, by its number in the order of the sources.
  struct pull {
    std::size_t log = 0;
    log_query query;
  };

  log_reader(std::vector<source> sources, const log_reader_limits& limits);

  /// Takes up the stored places. Throws store_error and decode_error.
  void recover(const snapshot& from);

  /// The log of that service has grown.
  void hint(service of);

  /// The time of the next turn, where that is earlier than every time returned since the last turn.
  /// Nothing while no log wants to be read, or the consumer works.
  std::optional<time_point> plan(time_point now);
  /// True where a planned turn should begin now.
  bool is_due(time_point now) const;

  /// Begins a turn with these questions. Without any the turn is over already.
  std::vector<pull> begin_turn(time_point now);
  /// The log's answer. Returns the fork if another log answered than before: then the place moves
  /// back behind the last event common to both logs, and events are read again.
  std::optional<log_fork> take(std::size_t log, const event_batch& batch, instant wall_clock);
  /// The log gave no answer.
  template <class Random>
  void fail(std::size_t log, time_point now, Random& random) {
    fail_until(log, now + backoff(limits_.retry, ++logs_[log].failures, random));
  }
  /// True while questions of the turn have no answer.
  bool pulling() const { return open_pulls_ > 0; }

  /// True where the turn moved a place, so that there is something to store.
  bool moved() const;
  /// The rows that store the places behind the turn, and the forks met in it.
  std::vector<row_write> rows() const;
  /// These rows are durable.
  void stored();

  /// The consumer works at something else than a turn.
  void hold() { resting_ = false; }
  /// The consumer has nothing under way any more.
  void rest() { resting_ = true; }
  bool resting() const { return resting_; }

  /// Progress in a log.
  const log_position& position(std::size_t log) const { return logs_[log].at; }
  const consumer& consumer_of(std::size_t log) const { return logs_[log].from.who; }
  std::size_t size() const { return logs_.size(); }
  /// The number of a service's log, where that is among the sources.
  std::optional<std::size_t> number_of(service followed) const;

 private:
  enum class wish : std::uint8_t { none, soon, at_once };

  struct followed_log {
    source from;
    log_position at = {};    ///< Behind the events that were worked off.
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
  std::optional<time_point> planned_;  ///< The next turn, if one is planned.
  std::size_t open_pulls_ = 0;
  bool resting_ = true;
};

}  // namespace skanu
