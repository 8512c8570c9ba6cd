// A starting node reads the state of the order ids from the store. After a restore, a node passes
// over all ids perhaps given since the backup.
#pragma once

#include <vector>

#include "messages/log.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The state of the order ids, as stored.
struct id_recovery {
  entity_id next = 1;                ///< The first id never reserved.
  std::vector<entity_id> undecided;  ///< Handed out, perhaps, and not decided.
  /// The last id known to another node, or 1, if an earlier run found the data older than another
  /// node's knowledge; else 0. Lasts until a restore passes over ids.
  entity_id too_old = 0;
};

/// The meta row of id_recovery's too_old.
inline constexpr std::string_view too_old_key = "ids.too-old";
/// The meta row of the log's first offset behind the last leap of a restore over ids.
inline constexpr std::string_view leap_offset_key = "ids.leap";

/// Throws decode_error and store_error for damaged rows of ids. `with_payments` says that the same
/// database holds the payments: an id without a payment then needs no rejection, since no client
/// can come back to the id.
id_recovery recover_ids(const snapshot& orders, bool with_payments);

/// Returns the last order id in the tables of a saga's service; for the order service the last
/// reserved id, if higher. 0 for none, and for other services. Throws store_error and decode_error.
entity_id last_known_order_id(const snapshot& from, service s);

/// Returns the last id to pass over in a restore at the time `now`. A server gives at most 1,024
/// ids a millisecond, so no run before `now` gave a higher id, even if all data since `known` is
/// lost. If `known` is too high for `now`, the clock was set back: then the ids of a day at the
/// same rate, two months of a busy server, are passed over.
entity_id last_skipped_id(entity_id known, instant now);

/// Returns the rows to reserve the ids up to `last` and to pass over the ids from `first` on.
/// Throws store_error and decode_error.
std::vector<row_write> skip_rows(const snapshot& orders, entity_id first, entity_id last);

/// Writes skip_rows() from the first id not reserved, at a start on restored data: no id given
/// before the start is then given again. Where an earlier run found the data too old, all ids up to
/// `last` count as decided: the undecided ids are perhaps lost orders. Throws store_error and
/// decode_error.
void skip_ids(store& orders, entity_id last);

/// Comparison of the order service's log with the last event read by a follower.
enum class log_match : std::uint8_t {
  same,     ///< The log has the event.
  skipped,  ///< The log lacks events; a restore passed over the ids of the events.
  lost,     ///< The log lacks events, and perhaps gives the same ids again.
};

/// Compares by the follower's offset and timelines. Throws store_error and decode_error.
log_match compare_log(const snapshot& orders, const order_knowledge& follower);

}  // namespace skanu
