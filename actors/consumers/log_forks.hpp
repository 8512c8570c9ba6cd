// A consumer's word about a log that does not fit the consumer's own data.
#pragma once

#include "actors/rules/consumers.hpp"
#include "persistence/log/log_position.hpp"

namespace skanu {

/// Says in the log that events which a consumer had worked off are gone from its log, and where the
/// consumer goes on. Natural keys let events that are read again act once.
void note_fork(const log_fork& fork);

/// Says in the log, as a warning, that a consumer begins to read a log with events from before the
/// consumer's data directory was made. Where the service had a directory before, data known to that
/// directory alone is gone. `first` is the first event of a consumer without a position.
void note_older_events(const snapshot& own, const consumer& who, const event_batch::event& first);

}  // namespace skanu
