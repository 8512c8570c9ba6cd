#include "cluster/door.hpp"

#include <caf/io/all.hpp>
#include <caf/openssl/all.hpp>
#include <spdlog/spdlog.h>

#include "actors/failures.hpp"
#include "cluster/reachable.hpp"

namespace skanu {

door_actor::behavior_type door(
    door_actor::pointer self, link_identity identity,
    std::function<std::optional<peer_side>(const std::string&)> side_of) {
  contain_failures(*self);
  return {[=](hello_atom, const std::string& theirs, const peer_handles& dialer)
              -> caf::result<std::string, std::string, peer_handles> {
    const auto refuse = [](const std::string& peer, const std::string& why) {
      spdlog::error("event=peer_refused peer={} reason=\"{}\"", peer, why);
      return caf::make_error(caf::sec::runtime_error, why);
    };
    hello dialers;
    try {
      dialers = decode_hello(theirs);
    } catch (const decode_error&) {
      return refuse("unknown", "its hello cannot be read");
    }
    if (dialers.protocol != protocol_version)
      return refuse("unknown", "it speaks protocol " + std::to_string(dialers.protocol) +
                                   ", this node " + std::to_string(protocol_version));
    if (!is_node_name(dialers.name)) return refuse("unknown", "its name cannot be read");
    if (dialers.name == identity.node)
      return refuse(dialers.name, "it has this node's own name");
    const auto side = side_of(dialers.name);
    if (!side) return refuse(dialers.name, "this node leaves, or too many have introduced themselves");
    const auto own = make_hello(identity.node, identity.incarnation);
    const auto own_bytes = encode(own);
    self->send(side->link, peer_offer{dialer, theirs, own_bytes});
    return {own_bytes, proof_of(identity.secret, proving_side::door, dialers, own),
            peer_handles{side->link, side->caller, side->servant}};
  }};
}

dialer_actor::behavior_type dialer(dialer_actor::pointer self, dial_target target,
                                   std::chrono::milliseconds patience) {
  contain_failures(*self);
  return {[=](dial_atom) -> caf::result<door_actor> {
    if (!reachable(target.host, target.port, patience))
      return caf::make_error(caf::sec::cannot_connect_to_node);
    auto found = self->make_response_promise<door_actor>();
    const auto connector = target.tls ? self->system().openssl_manager().actor_handle()
                                      : self->system().middleman().actor_handle();
    self->request(connector, std::chrono::seconds(2), caf::connect_atom::value, target.host,
                  target.port)
        .then(
            [found](const caf::node_id&, const caf::strong_actor_ptr& actor,
                    const std::set<std::string>&) mutable {
              if (actor) {
                found.deliver(caf::actor_cast<door_actor>(actor));
              } else {
                found.deliver(caf::make_error(caf::sec::no_actor_published_at_port));
              }
            },
            [found](caf::error& why) mutable { found.deliver(std::move(why)); });
    return found;
  }};
}

}  // namespace skanu
