// Where a consumer stands in the log that it follows, and what it does where that log is not the
// one it has read so far.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/fields.hpp"
#include "messages/log.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// A place in one log: everything before `next` was worked off, under these timelines.
struct log_position {
  log_offset next = 1;
  lineage seen = {};
  bool operator==(const log_position&) const = default;

  /// The question for what comes next; `types` empty: for events of all types.
  log_query query(std::size_t limit, const std::vector<std::string>& types) const;
  /// The place behind a batch that was pulled with that question and did not fork.
  log_position behind(const event_batch& batch) const;
  /// The place behind the last event that both logs have, where the batch forked.
  log_position behind_common(const event_batch& batch) const;
};

/// The place that a consumer's rows name; the start of the log where it has none. Throws
/// store_error, and decode_error for a damaged row.
log_position stored_position(const snapshot& from, service of, std::string_view consumer);

/// Adds the rows that take a consumer from one place to another. The commit is refused with
/// conflicting_commit where the stored place is not `from`: even two consumers of one name take
/// each event once.
void move_position(std::vector<row_write>& rows, std::string_view consumer,
                   const log_position& from, const log_position& to);

/// A log was replaced under a consumer: events it has worked off are not in the log any more.
struct log_fork {
  std::string consumer;
  std::string log;        ///< The service's name.
  log_offset known = 0;   ///< The last event that the consumer had worked off.
  log_offset common = 0;  ///< The last one that both logs have; it goes on behind that.
  log_offset end = 0;     ///< Where the log ended when this was noticed.
  std::string at = {};    ///< When, RFC 3339.
  bool accepted = false;  ///< By an operator.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("consumer", self.consumer);
    visit("log", self.log);
    visit("known", self.known);
    visit("common", self.common);
    visit("end", self.end);
    visit("at", self.at);
    visit("accepted", self.accepted);
  }
};

/// The row that remembers a fork, among the meta rows of the consumer's service.
row_write fork_row(const log_fork& fork);

/// The forks of one consumer, oldest first, at most 100. Throws store_error and decode_error.
std::vector<log_fork> stored_forks(const snapshot& from, service of, std::string_view consumer);

}  // namespace skanu
