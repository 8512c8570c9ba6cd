// Checks before the first write of a node's run, so that no order id is given twice.
#pragma once

#include <vector>

#include "persistence/directory/data_directory.hpp"

namespace skanu {

struct run_options {
  std::vector<service> services;  ///< Services of the node.
  bool restored = false;          ///< The operator declares data restored or lost.
  bool has_peers = false;
};

/// Begins a run on a directory: skips the ids perhaps given since a backup, creates the cluster's
/// identity on the node of the order service, and begins a new timeline of each log. Throws
/// store_error if ids would be given twice, and decode_error for a damaged row.
void begin_run(data_directory& directory, const run_options& options);

/// Returns the last order id known to any database of the directory. Throws store_error and
/// decode_error.
entity_id known_order_ids(data_directory& directory, const std::vector<service>& services);

}  // namespace skanu
