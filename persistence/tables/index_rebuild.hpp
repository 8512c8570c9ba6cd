// Making the status index and the counts of a service anew from its documents.
#pragma once

#include "persistence/store.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// In transactions of a bounded size: stopped in between, everything done so far stays, and another
/// rebuild does the rest. Nobody else writes meanwhile. Throws store_error.
index_changes rebuild_index(ordered_tables& tables, const seals& sealed, service s,
                            const listing_reader& listing_in);

}  // namespace skanu
