// Where the ids of orders stand when a node starts, and how ids that may have been given are passed
// over after a restore.
#pragma once

#include <vector>

#include "messages/log.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// Where the ids stand, read from the store at the start.
struct id_recovery {
  entity_id next = 1;                ///< The first id that was never reserved.
  std::vector<entity_id> undecided;  ///< Handed out, perhaps, and not decided.
  /// An earlier run learned that the data is older than others' knowledge: the last id known to
  /// another node, or 1. Lasts until a restore passes over ids; 0 without such knowledge.
  entity_id too_old = 0;
};

/// The meta row of id_recovery's too_old.
inline constexpr std::string_view too_old_key = "ids.too-old";
/// The meta row of the log's first offset behind the last leap of a restore over ids.
inline constexpr std::string_view leap_offset_key = "ids.leap";

/// Throws decode_error and store_error where what is stored of ids is damaged. With `with_payments`
/// the payments are in the same database: an id whose payment is not even there was handed out to
/// nobody who could still come back to it, and needs no rejection.
id_recovery recover_ids(const snapshot& orders, bool with_payments);

/// The last order id that the tables of a service of the saga know; of the order service the last
/// that was reserved. 0 for none, and for other services. Throws store_error and decode_error.
entity_id last_known_order_id(const snapshot& from, service s);

/// The last of the ids that are passed over by a restore at that time. No server gives more than
/// 1,024 ids a millisecond, so ids behind it were given by no run before that time, whatever was
/// lost since `known`. A clock at which `known` cannot have been given yet was set back: the ids of
/// a day at that rate, two months of a busy server, are passed over then.
entity_id last_skipped_id(entity_id known, instant now);

/// The rows that reserve the ids up to `last`, and give none from `first` on. Throws store_error
/// and decode_error.
std::vector<row_write> skip_rows(const snapshot& orders, entity_id first, entity_id last);

/// Writes them for all that was not reserved yet, at a start on restored data: from here on no
/// loss before this start can have an id given twice. Where an earlier run knew the data as too
/// old, all ids up to `last` count as decided: the undecided ones were orders, perhaps, that are
/// lost. Throws store_error and decode_error.
void skip_ids(store& orders, entity_id last);

/// Comparison of the order service's log with the last event read by a follower.
enum class log_match : std::uint8_t {
  same,     ///< The log has the event.
  skipped,  ///< The log lacks events; a restore passed over the ids of the events.
  lost,     ///< The log lacks events, and perhaps gives their ids again.
};

/// Compares by the follower's offset and timelines. Throws store_error and decode_error.
log_match compare_log(const snapshot& orders, const order_knowledge& follower);

}  // namespace skanu
