// Pages of the entities whose orders were placed within a window of time.
//
// Ids rise with the time of the order, so a window is a range of ids, and its borders are found by
// halving: the cost does not grow with the store by more than a read at each doubling. Orders
// placed at the same moment may get their ids in another order than their times, within the two
// seconds that a request may take: then an order close to a border counts to the window beside.
// Windows that meet share no order and miss none. While a clock is set back, ids and times disagree
// for longer.
#pragma once

#include "persistence/store.hpp"

namespace skanu {

/// Returns the time in a document's "orderedAt"; nullopt in a document without one.
std::optional<instant> ordered_at(std::string_view document);

/// Returns the first listed id whose order was placed at `t` or later, or an id above all listed. A
/// document without the time counts as earlier: a version that kept no times wrote it.
entity_id first_ordered_since(const snapshot& from, service s, instant t);

/// Returns the page of a query with a window. Damaged items are still among the items.
stored_page page_in_window(const snapshot& from, service s, const page_query& wanted);

}  // namespace skanu
