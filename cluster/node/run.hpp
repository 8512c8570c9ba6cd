// The checks before a run of a node writes anything, so that no order id is given twice.
#pragma once

#include <vector>

#include "persistence/directory/data_directory.hpp"

namespace skanu {

struct run_options {
  std::vector<service> services;  ///< Of this node.
  bool restored = false;          ///< The operator says that data was restored or lost.
  bool has_peers = false;
};

/// Begins a run on a directory: passes over ids that may have been given since a backup was taken,
/// gives the cluster its identity where that is this node's to do, and begins a timeline of each
/// log. Throws store_error where ids would be given twice, and decode_error for a damaged row.
void begin_run(data_directory& directory, const run_options& options);

/// The last order id that any database of the directory knows. Throws store_error and decode_error.
entity_id known_order_ids(data_directory& directory, const std::vector<service>& services);

}  // namespace skanu
