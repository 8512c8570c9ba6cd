// A consumer's word about a log that is not the one it has read.
#pragma once

#include <string_view>

#include "persistence/log/log_position.hpp"

namespace skanu {

/// Describes the fork, and says it in the log: events that `consumer` had worked off are gone from
/// the log, and it goes on at `back`, behind the last event that both have.
log_fork note_fork(std::string_view consumer, service follows, const log_position& at,
                   const log_position& back, const event_batch& batch, instant now);

}  // namespace skanu
