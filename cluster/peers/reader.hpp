// The reader reads local stores for peers on a separate thread: a deep page delays no other actor.
#pragma once

#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

/// Spawned detached and shared by all rpc_servers. The servers limit the queue.
reader_actor::behavior_type reader(reader_actor::pointer self);

}  // namespace skanu
