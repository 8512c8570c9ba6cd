#include "cluster/peers/acceptor.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>
#include <caf/io/all.hpp>
#include <caf/openssl/all.hpp>

#include "actors/supervision/failures.hpp"
#include "cluster/peers/middleman.hpp"

namespace skanu {

acceptor::acceptor(caf::actor_config& config, node_identity identity,
                   std::function<std::optional<peer_side>(const hello&)> side_of,
                   std::chrono::milliseconds handshake)
    : acceptor_actor::base(config),
      identity_(std::move(identity)),
      side_of_(std::move(side_of)),
      handshake_(handshake) {}

/// Releases the handles here because CAF's clock may hold the object for longer.
void acceptor::on_exit() {
  guests_.clear();
  side_of_ = nullptr;
}

acceptor::behavior_type acceptor::make_behavior() {
  contain_failures(*this);
  return {[this](hello_atom, const std::string& theirs, const peer_handles& connector) {
            return greet(theirs, connector);
          },
          [this](enter_atom, const std::string& nonce, const std::string& proof) {
            const auto by = current_sender();  // before the promise takes the sender
            auto entry = make_response_promise<std::string, peer_handles>();
            admit(
                by, nonce, proof,
                [entry](const std::string& own, const peer_handles& handles) mutable {
                  entry.deliver(own, handles);
                },
                [entry](caf::error why) mutable { entry.deliver(std::move(why)); });
            return entry;
          },
          [this](proof_atom, const std::string& nonce, const std::string& proof) {
            const auto by = current_sender();
            auto entry = make_response_promise<peer_handles>();
            admit(
                by, nonce, proof,
                [entry](const std::string&, const peer_handles& handles) mutable {
                  entry.deliver(handles);
                },
                [entry](caf::error why) mutable { entry.deliver(std::move(why)); });
            return entry;
          }};
}

caf::result<std::string, std::string> acceptor::greet(const std::string& theirs,
                                                      const peer_handles& connector) {
  guest g;
  g.connector = connector;
  g.connectors = theirs;
  try {
    g.said = decode_hello(theirs);
  } catch (const decode_error&) {
    return refuse("unknown", "its hello cannot be read");
  }
  const auto common = common_version(g.said);
  if (!common)
    return refuse("unknown", "it speaks protocol " + std::to_string(g.said.protocol) +
                                 ", this node " + std::to_string(protocol_version));
  if (!is_node_name(g.said.name)) return refuse("unknown", "its name cannot be read");
  if (g.said.name == identity_.node) return refuse(g.said.name, "it has this node's own name");
  g.answered = identity_.introduction(*common);
  g.own = encode(g.answered);
  g.until = clock().now() + handshake_;
  if (guests_.size() >= most_unproved) guests_.pop_front();
  guests_.push_back(std::move(g));
  const auto& kept = guests_.back();
  const bool proves_first = *common < 4;
  return {kept.own, proves_first ? proof_of(identity_.secret, proving_side::acceptor,
                                            kept.connectors, kept.own)
                                 : std::string()};
}

void acceptor::admit(const caf::strong_actor_ptr& by, const std::string& nonce,
                     const std::string& proof, const welcome& let_in, const farewell& turn_away) {
  while (!guests_.empty() && guests_.front().until < clock().now()) guests_.pop_front();
  const auto found =
      std::ranges::find_if(guests_, [&](const guest& g) { return g.answered.nonce == nonce; });
  if (found == guests_.end())
    return turn_away(refuse("unknown", "its proof has no hello, or came too late"));
  const auto proved = std::move(*found);
  guests_.erase(found);
  const auto& peer = proved.said.name;
  if (proof == certificate_refused)
    return turn_away(refuse(peer, "it refuses us: our certificate does not name this node"));
  if (!is_proof(proof, identity_.secret, proving_side::connector, proved.connectors, proved.own))
    return turn_away(refuse(peer, "it has another cluster's secret"));
  if (by && !may_be(system(), by->node(), peer))
    return turn_away(refuse(peer, "its certificate names another node"));
  auto& cluster = *identity_.in;
  if (!cluster.admits(proved.said.cluster))
    return turn_away(refuse(peer, other_cluster(proved.said.cluster, cluster.cluster())));
  if (by) note_proved(*this, by->node());
  const auto side = side_of_(proved.said);
  if (!side)
    return turn_away(
        refuse(peer, "this node leaves, or has too many peers that it was not told of"));
  if (by && side->name != peer && !may_be(system(), by->node(), side->name))
    return turn_away(refuse(peer, "its certificate does not name " + side->name));
  if (identity_.on_proved) identity_.on_proved(side->name, proved.said);
  cluster.meet(side->name, proved.said.cluster, proved.said.orders);
  const auto own_proof =
      proof_of(identity_.secret, proving_side::acceptor, proved.connectors, proved.own);
  request(side->session, handshake_,
          peer_offer{proved.connector, proved.said.incarnation, proved.answered.protocol})
      .then(
          [this, let_in, turn_away, peer, own_proof, side = *side](bool admitted) {
            if (admitted)
              return let_in(own_proof, {side.session, side.rpc_client, side.rpc_server});
            turn_away(refuse(peer, "a node of that name is here already"));
          },
          [this, turn_away, peer](const caf::error&) {
            turn_away(refuse(peer, "this node is too busy"));
          });
}

caf::error acceptor::refuse(const std::string& peer, const std::string& why) {
  refusals_.say(peer, why, clock().now());
  return caf::make_error(caf::sec::runtime_error, why);
}

}  // namespace skanu
