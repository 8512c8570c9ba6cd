// Where the ids of orders stand when a node starts, and how ids that may have been given are passed
// over after a restore.
#pragma once

#include <vector>

#include "persistence/store.hpp"

namespace skanu {

/// Where the ids stand, read from the store at the start.
struct id_recovery {
  entity_id next = 1;                ///< The first id that was never reserved.
  std::vector<entity_id> undecided;  ///< Handed out, perhaps, and not decided.
};

/// Throws decode_error and store_error where what is stored of ids is damaged. With `with_payments`
/// the payments are in the same database: an id whose payment is not even there was handed out to
/// nobody who could still come back to it, and needs no rejection.
id_recovery recover_ids(const snapshot& orders, bool with_payments);

/// The last order id that a service's tables know: of an order, payment, delivery or trace; of the
/// order service the last that was reserved. 0 for none. Throws store_error and decode_error.
entity_id last_known_order_id(const snapshot& from, service s);

/// The last of the ids that are passed over by a restore at that time. No server gives more than
/// 1,024 ids a millisecond, so ids behind it were given by no run before that time, whatever was
/// lost since `known`; a clock that was set back does not lead below `known`.
entity_id last_skipped_id(entity_id known, instant now);

/// The rows that reserve the ids up to `last`, and give none from `first` on. Throws store_error
/// and decode_error.
std::vector<row_write> skip_rows(const snapshot& orders, entity_id first, entity_id last);

/// Writes them for all that was not reserved yet. Throws store_error and decode_error.
void skip_ids(store& orders, entity_id last);

}  // namespace skanu
