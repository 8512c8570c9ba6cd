// A consumer's position in a log, and the consumer's recovery from a replaced log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/fields.hpp"
#include "messages/log.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// A position in a log: all events before `next` are processed, under the timelines `seen`.
struct log_position {
  log_offset next = 1;
  lineage seen = {};
  bool operator==(const log_position&) const = default;

  /// Returns the query for the next events; empty `types` select events of all types.
  log_query query(std::size_t limit, const std::vector<std::string>& types) const;
  /// Returns the position behind a batch pulled with query(), without a fork.
  log_position behind(const event_batch& batch) const;
  /// Returns the position behind the last event common to both logs, after a fork.
  log_position behind_common(const event_batch& batch) const;
};

/// Returns a consumer's stored position; the log's start without a row. Throws store_error, and
/// decode_error for a damaged row.
log_position stored_position(const snapshot& from, service of, std::string_view consumer);

/// Adds the rows that move a consumer from a position to another. The commit is refused with
/// conflicting_commit unless `from` is stored: even two consumers of the same name process each
/// event once.
void move_position(std::vector<row_write>& rows, std::string_view consumer,
                   const log_position& from, const log_position& to);

/// A replaced log: the log lacks events that the consumer has processed.
struct log_fork {
  std::string consumer;
  std::string log;        ///< Name of the service.
  log_offset known = 0;   ///< The last event processed by the consumer.
  log_offset common = 0;  ///< The last common event; the consumer continues behind.
  log_offset end = 0;     ///< End of the log when noticed.
  std::string at = {};    ///< Time when noticed, RFC 3339.
  bool accepted = false;  ///< By an operator.
  bool damaged = false;   ///< The stored row is; `log`, `common` and `end` are unknown.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("consumer", self.consumer);
    visit("log", self.log);
    visit("known", self.known);
    visit("common", self.common);
    visit("end", self.end);
    visit("at", self.at);
    visit("accepted", self.accepted);
    visit.local(self.damaged);  // never stored
  }
};

/// Returns the meta row that records a fork, for the consumer's service.
row_write fork_row(const log_fork& fork);

/// Returns the forks of a consumer, oldest first, at most 100. Throws store_error.
std::vector<log_fork> stored_forks(const snapshot& from, service of, std::string_view consumer);

}  // namespace skanu
