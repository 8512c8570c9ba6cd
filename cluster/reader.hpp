// Reads for this node's peers, on a thread of its own: a deep page holds up no actor.
#pragma once

#include "cluster/links.hpp"

namespace skanu {

/// Spawned detached, and shared by all servants, which bound what waits for it.
reader_actor::behavior_type reader(reader_actor::pointer self);

}  // namespace skanu
