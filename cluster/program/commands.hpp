// The commands beside `serve`. They look at stored data, also beside a running server; only
// `rebuild` writes, in a directory that is not served.
#pragma once

#include "cluster/program/options.hpp"

namespace skanu {

/// Each returns the program's exit status. They throw store_error where they cannot look.
int run_audit(const program_options& options);
int run_events(const program_options& options);
int run_backup(const program_options& options);
int run_rebuild(const program_options& options);

/// Asks a running server. Status 1 where it refuses; throws std::system_error where the token
/// cannot be read or nobody answers in time.
int run_admin(const program_options& options);

}  // namespace skanu
