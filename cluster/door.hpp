// Where peers introduce themselves, and how a node finds another's door.
#pragma once

#include <functional>
#include <map>

#include "cluster/handshake.hpp"
#include "cluster/link.hpp"

namespace skanu {

/// A peer's three actors on this node.
struct peer_side {
  link_actor link;
  caller_actor caller;
  servant_actor servant;
};

/// The published actor. `side_of` gives the actors for a peer of that name, made where they were not
/// there yet; nothing where there are too many.
door_actor::behavior_type door(door_actor::pointer self, link_identity identity,
                               std::function<std::optional<peer_side>(const std::string&)> side_of);

struct dial_target {
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
};

/// Runs detached: looking up a name blocks it, and nobody else.
///
/// CAF's middleman connects with a blocking call, which an address that swallows packets would hold for
/// minutes, with the connections to all other peers behind it. So it is asked to connect only where a
/// first connection came about within `patience`.
dialer_actor::behavior_type dialer(dialer_actor::pointer self, dial_target target,
                                   std::chrono::milliseconds patience);

}  // namespace skanu
