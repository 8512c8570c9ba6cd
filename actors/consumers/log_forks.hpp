// A consumer's word about a log that is not the one it has read.
#pragma once

#include "persistence/log/log_position.hpp"

namespace skanu {

/// Says in the log that events which a consumer had worked off are gone from its log, and where the
/// consumer goes on. Natural keys let events that are read again act once.
void note_fork(const log_fork& fork);

}  // namespace skanu
