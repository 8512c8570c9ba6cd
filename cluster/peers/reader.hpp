// Reads for this node's peers, on a thread of its own: a deep page holds up no actor.
#pragma once

#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

/// Spawned detached, and shared by all rpc_servers, which bound what waits for it.
reader_actor::behavior_type reader(reader_actor::pointer self);

}  // namespace skanu
