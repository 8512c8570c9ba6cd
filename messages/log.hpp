// Queries to a service's event log, and the answers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "messages/field_list.hpp"
#include "messages/lineage.hpp"
#include "messages/values.hpp"

namespace skanu {

/// A part of a service's log, in order.
struct event_batch {
  struct event {
    log_offset offset = 0;
    std::string body;  ///< Empty for an event damaged in the log.

    template <class Self, class Visitor>
    static constexpr void fields(Self& self, Visitor& visit) {
      visit("offset", self.offset);
      visit("body", self.body);
    }
  };
  std::vector<event> events;
  log_offset next = 1;  ///< Offset to continue reading at.
  bool more = false;    ///< More events are available.
  log_offset end = 0;   ///< The offset of the log's last event; 0 for an empty log.
  /// The reader has read another log: the log lacks the reader's last event. `events` is then
  /// empty.
  bool forked = false;
  /// The timelines of the part read; after a fork or with a limit of 0, the timelines of the whole
  /// log.
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

/// A node's knowledge of orders placed by another node.
struct order_knowledge {
  entity_id last_id = 0;      ///< No larger id is in the node's databases.
  log_offset offset = 0;      ///< The last event of the order service processed by the node,
  std::string timeline = {};  ///< with the event's timeline; empty if unknown.
  lineage seen = {};          ///< The last timelines of the order service's log up to the offset.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("lastId", self.last_id);
    visit("offset", self.offset);
    visit("timeline", self.timeline);
    visit("seen", self.seen, since_protocol{5});
  }
};

/// A consumer's query to a log.
struct log_query {
  log_offset from = 1;
  std::size_t limit = 0;           ///< Limit of events to examine.
  std::vector<std::string> types;  ///< The types wanted; empty: all types.
  /// The timeline of the event before `from`, as the reader read the event; empty if unknown or
  /// unread.
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
