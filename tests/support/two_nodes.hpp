// The cluster actors of several nodes in one actor system, with a cable between the nodes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/peers/acceptor.hpp"
#include "cluster/peers/reader.hpp"
#include "tests/support/cable.hpp"
#include "tests/support/checkout_fixture.hpp"
#include "tests/support/peer_calls.hpp"

namespace skanu {

/// One node's actors for its peers, and the node's acceptor.
struct node_side {
  struct peer {
    std::shared_ptr<peer_status> status = std::make_shared<peer_status>();
    rpc_client_actor rpc_client;
    rpc_server_actor rpc_server;
    peer_session_actor session;
  };

  node_identity identity;
  local_services here;
  std::map<std::string, std::unique_ptr<peer>> peers;
  acceptor_actor acceptor;
  bool listens = true;
  int dials = 0;  ///< Dials by others at the node's address.
};

class two_nodes_test : public actor_fixture {
 protected:
  ~two_nodes_test() override { end_nodes(); }

  /// Ends the nodes' actors; call before destroying the objects used by the nodes.
  void end_nodes() {
    for (auto& s : sides_)
      for (auto& [name, p] : s->peers) {
        caf::anon_send_exit(p->session, caf::exit_reason::kill);
        caf::anon_send_exit(p->rpc_client, caf::exit_reason::kill);
        caf::anon_send_exit(p->rpc_server, caf::exit_reason::kill);
      }
    run();
    sides_.clear();
    between.close();
    run();
  }

  /// Makes a node with an acceptor. The first node of a name answers at the address of that name.
  node_side& node(const std::string& name, const std::string& secret = "secret") {
    auto& s = *sides_.emplace_back(std::make_unique<node_side>());
    s.identity = {name, ++incarnations_, secret};
    s.here.item_reader = s.here.page_reader = keep(system.spawn(reader));
    reopen(s);
    at_address.emplace(name, &s);
    return s;
  }

  /// Gives the node a new acceptor with the present identity.
  void reopen(node_side& s) {
    s.acceptor = keep(
        system.spawn<acceptor>(s.identity, [&s](const hello& peer) -> std::optional<peer_side> {
          const auto found = s.peers.find(peer.name);
          if (found == s.peers.end()) return std::nullopt;
          const auto& p = *found->second;
          return peer_side{p.session, p.rpc_client, p.rpc_server, peer.name};
        }));
  }

  /// Makes the node's actors for one peer. The node dials `address`, or waits to be dialed where
  /// `address` is empty.
  node_side::peer& add_peer(node_side& s, const std::string& name, const std::string& address,
                            peer_session_limits limits = {}) {
    std::optional<connector_actor> by;
    if (!address.empty()) by = keep(system.spawn(scripted_dialer, this, address));
    return add_peer_dialed_by(s, name, by, limits);
  }
  node_side::peer& add_peer_dialed_by(node_side& s, const std::string& name,
                                      std::optional<connector_actor> by,
                                      peer_session_limits limits = {}) {
    auto& p = *s.peers.emplace(name, std::make_unique<node_side::peer>()).first->second;
    p.rpc_client = start<rpc_client>(name);
    p.rpc_server = start<rpc_server>(s.here);
    p.session = start<peer_session>(s.identity, expected_peer{name}, p.rpc_client, p.rpc_server, by,
                                    p.status, seeds.next(), limits);
    run();
    return p;
  }

  called call(node_side& from, const std::string& to, call_body body) {
    called c;
    caf::anon_send(from.peers.at(to)->rpc_client, c.call(std::move(body)));
    run();
    return c;
  }

  static bool up(const node_side& s, const std::string& peer) {
    return s.peers.at(peer)->status->up;
  }

  /// A payment service that answers every command at once.
  payment_region_actor prompt_payments() { return keep(system.spawn(prompt_payment, &paid_)); }
  int carried_out() const { return paid_; }

  cable between{system};
  std::map<std::string, node_side*> at_address;

 private:
  static payment_region_actor::behavior_type prompt_payment(payment_region_actor::pointer,
                                                            int* carried_out) {
    return {[=](entity_id id, payment_command&, command_context& r) {
      ++*carried_out;
      r.answer(accepted{effect::changed, id, 1, nullptr});
    }};
  }

  static connector_actor::behavior_type scripted_dialer(connector_actor::pointer,
                                                        two_nodes_test* test,
                                                        const std::string& address) {
    return {[=](dial_atom) -> caf::result<acceptor_actor> {
      const auto found = test->at_address.find(address);
      if (found == test->at_address.end() || !found->second->listens)
        return caf::make_error(caf::sec::cannot_connect_to_node);
      ++found->second->dials;
      return test->between.far(found->second->acceptor);
    }};
  }

  std::vector<std::unique_ptr<node_side>> sides_;
  std::uint64_t incarnations_ = 0;
  int paid_ = 0;
};

}  // namespace skanu
