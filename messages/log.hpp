// What a consumer asks of a service's event log, and what it gets.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "messages/field_list.hpp"
#include "messages/lineage.hpp"
#include "messages/values.hpp"

namespace skanu {

/// Part of a service's log, in order.
struct event_batch {
  struct event {
    log_offset offset = 0;
    std::string body;  ///< Empty where the log holds something else than was written.

    template <class Self, class Visitor>
    static constexpr void fields(Self& self, Visitor& visit) {
      visit("offset", self.offset);
      visit("body", self.body);
    }
  };
  std::vector<event> events;
  log_offset next = 1;  ///< Where to go on reading.
  bool more = false;    ///< There is more already.
  log_offset end = 0;   ///< The offset of the log's last event; 0 for an empty log.
  /// The asker read another log: its last event is not in this one. Then there are no events.
  bool forked = false;
  /// The timelines of the part that was looked at; where it forked, or nothing was to be looked at
  /// (a limit of 0), those of the whole log.
  lineage timelines = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("events", self.events);
    visit("next", self.next);
    visit("more", self.more);
    visit("end", self.end);
    visit("forked", self.forked, since_protocol{4});
    visit("timelines", self.timelines, since_protocol{4});
  }
};

/// What a node knows of orders that another one places.
struct order_knowledge {
  entity_id last_id = 0;      ///< No id above it is in its databases.
  log_offset offset = 0;      ///< Of the last event of the order service that it has worked off,
  std::string timeline = {};  ///< under this identity; empty where none is known.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("lastId", self.last_id);
    visit("offset", self.offset);
    visit("timeline", self.timeline);
  }
};

/// A consumer's question to a log.
struct log_query {
  log_offset from = 1;
  std::size_t limit = 0;           ///< How many events to look at, at most.
  std::vector<std::string> types;  ///< Only events of these types; empty: of all.
  /// The identity under which the asker read the event before `from`; empty where it read none, or
  /// does not know.
  std::string timeline = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("from", self.from);
    visit("limit", self.limit);
    visit("types", self.types);
    visit("timeline", self.timeline, since_protocol{4});
  }
};

}  // namespace skanu
