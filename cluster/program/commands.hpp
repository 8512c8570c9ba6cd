// The commands beside `serve`. Most read stored data, also beside a running server; `rebuild` and
// `join-stamps` write, in a directory without a server.
#pragma once

#include "cluster/program/options.hpp"

namespace skanu {

/// Return the program's exit status. Throw store_error for data that cannot be opened.
int run_audit(const program_options& options);
int run_events(const program_options& options);
int run_backup(const program_options& options);
int run_rebuild(const program_options& options);
int run_join_stamps(const program_options& options);

/// Sends a request to a running server. Returns 1 if the server refuses; throws std::runtime_error
/// for an unreadable token, or without an answer in time.
int run_admin(const program_options& options);

}  // namespace skanu
