// Log lines about a followed log that contradicts the consumer's own data.
#pragma once

#include "actors/rules/consumers.hpp"
#include "persistence/log/log_position.hpp"

namespace skanu {

/// Logs an error: the followed log lacks events worked off by the consumer; tells the place to go
/// on. Events read again act once, by natural keys.
void note_fork(const log_fork& fork);

/// Logs as a warning that a consumer begins to read a log with events older than the consumer's
/// data directory. Data known only to an earlier directory of the service is gone. `first` is the
/// first event of a consumer without a position.
void note_older_events(const snapshot& own, const consumer& who, const event_batch::event& first);

}  // namespace skanu
