// Makes the status index and the counts of a service anew from the documents.
#pragma once

#include "persistence/store.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// Uses transactions of a bounded size: after a stop in between, the finished part stays, and
/// another rebuild does the rest. No other writer may write meanwhile. Throws store_error.
index_changes rebuild_index(ordered_tables& tables, const seals& sealed, service s,
                            const listing_reader& listing_in);

}  // namespace skanu
