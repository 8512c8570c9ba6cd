// The identities of a log: which history each of its events belongs to.
//
// A log begins a new timeline, with a random identity, at each start of its server. Two copies of a
// log that both went on therefore differ from the first event of their own on, even where their
// offsets do not: a follower that remembers the timeline of the last event it read notices a log
// that was restored, rebuilt or lost. (Kafka's leader epochs, KIP-101, and PostgreSQL's timelines
// serve the same end.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

/// The events from an offset on, up to the first of the next timeline.
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

/// The timelines of one log, by ascending offset. Empty where nothing is known of them.
using lineage = std::vector<timeline>;

/// The identity under which the event at an offset was written; empty where none is known.
std::string_view timeline_at(const lineage& log, log_offset offset);

/// The last offset up to which two logs hold the same events, given how far each of them goes; 0
/// where nothing is common. Where one lineage is empty, only the lengths are compared.
log_offset common_end(const lineage& a, log_offset a_end, const lineage& b, log_offset b_end);

/// The timelines of `log` that hold an event from `first` to `last`.
lineage part_of(const lineage& log, log_offset first, log_offset last);

/// Adds what is new in `news`, a part of the same log, to `known`, which ended before `news` does.
void extend(lineage& known, const lineage& news);

/// Forgets the timelines that begin behind `end`.
void cut_behind(lineage& known, log_offset end);

/// "1@0123456789abcdef,301@…": a lineage as rows spell it. Throws decode_error for other text.
std::string to_text(const lineage& log);
lineage lineage_from(std::string_view text);

}  // namespace skanu
