// The identities of a log: every event belongs to a timeline.
//
// A log begins a new timeline, with a random identity, at each start of its server. Two copies of a
// log that both continued therefore differ from the first new event on, even with equal offsets: a
// follower that remembers the timeline of the last event read notices a log that was restored,
// rebuilt or lost. (Kafka's leader epochs, KIP-101, and PostgreSQL's timelines serve the same
// purpose.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

/// The events from an offset on, up to the next timeline.
struct timeline {
  log_offset from = 1;
  std::string id;  ///< 16 hexadecimal digits.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("from", self.from);
    visit("id", self.id);
  }
  bool operator==(const timeline&) const = default;
};

/// The timelines of a log, by ascending offset. Empty if unknown.
using lineage = std::vector<timeline>;

/// Returns the identity of the timeline at an offset; empty if unknown.
std::string_view timeline_at(const lineage& log, log_offset offset);

/// Returns the last offset up to which two logs hold the same events, given both ends; 0 without
/// common events. If a lineage is empty, only the ends are compared.
log_offset common_end(const lineage& a, log_offset a_end, const lineage& b, log_offset b_end);

/// Returns the timelines of `log` with an event from `first` to `last`.
lineage part_of(const lineage& log, log_offset first, log_offset last);

/// Appends the new timelines of `news`, a later part of the same log, to `known`.
void extend(lineage& known, const lineage& news);

/// Removes the timelines that begin behind `end`.
void cut_behind(lineage& known, log_offset end);

/// Converts a lineage to and from the text of a row: "1@0123456789abcdef,301@…". lineage_from
/// throws decode_error for any other text.
std::string to_text(const lineage& log);
lineage lineage_from(std::string_view text);

}  // namespace skanu
