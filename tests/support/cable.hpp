// A substitute, within one actor system, for CAF's connection between two nodes. Each side sees
// only stand-ins of the other side's actors. The stand-ins die with the connection, and a cut drops
// messages silently.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "actors/supervision/failures.hpp"
#include "cluster/peers/peer_interfaces.hpp"

namespace skanu {

class cable {
 public:
  explicit cable(caf::actor_system& system) : system_(system) {}

  /// The other end's stand-in for an actor; the same actor for the life of the connection.
  template <class Handle>
  Handle far(const Handle& near) {
    return caf::actor_cast<Handle>(stand_in_for(caf::actor_cast<caf::actor>(near)));
  }
  peer_handles far(const peer_handles& near) {
    return {far(near.session), far(near.rpc_client), far(near.rpc_server)};
  }

  /// Ends the connection; watchers of the other end receive down messages.
  void close() {
    for (const auto& [id, a] : stand_ins_) caf::anon_send_exit(a, caf::exit_reason::kill);
    stand_ins_.clear();
  }

  bool cut = false;  ///< Drops all messages, like a cut cable or a frozen node.
  /// Drops the messages for which the function returns true.
  std::function<bool(const caf::message&)> loses = [](const caf::message&) { return false; };

 private:
  caf::actor stand_in_for(const caf::actor& near) {
    auto& a = stand_ins_[near.id()];
    if (!a) a = system_.spawn(stand_in, this, near);
    return a;
  }

  void carry(const caf::strong_actor_ptr& from, const caf::actor& to, caf::message what) {
    if (cut || loses(what)) return;
    const auto seen = from ? stand_in_for(caf::actor_cast<caf::actor>(from)) : caf::actor{};
    to->enqueue(caf::actor_cast<caf::strong_actor_ptr>(seen), caf::make_message_id(),
                std::move(what), nullptr);
  }

  static caf::behavior stand_in(caf::event_based_actor* self, cable* through,
                                const caf::actor& near) {
    contain_failures(*self);
    self->set_default_handler(
        [=](caf::scheduled_actor*, caf::message_view& view) -> caf::result<caf::message> {
          through->carry(self->current_sender(), near, view.move_content_to_message());
          return caf::message{};
        });
    return {[=](hello_atom, const std::string& hello,
                const peer_handles& connector) -> caf::result<std::string, std::string> {
              auto greeting = self->make_response_promise<std::string, std::string>();
              if (through->cut) return greeting;
              self->request(caf::actor_cast<acceptor_actor>(near), caf::infinite, hello_atom::value,
                            hello, through->far(connector))
                  .then(
                      [=](const std::string& own, const std::string& proof) mutable {
                        if (!through->cut) greeting.deliver(own, proof);
                      },
                      [=](caf::error& why) mutable { greeting.deliver(std::move(why)); });
              return greeting;
            },
            [=](enter_atom, const std::string& nonce,
                const std::string& proof) -> caf::result<std::string, peer_handles> {
              auto welcome = self->make_response_promise<std::string, peer_handles>();
              if (through->cut) return welcome;
              self->request(caf::actor_cast<acceptor_actor>(near), caf::infinite, enter_atom::value,
                            nonce, proof)
                  .then(
                      [=](const std::string& own, const peer_handles& peer) mutable {
                        if (!through->cut) welcome.deliver(own, through->far(peer));
                      },
                      [=](caf::error& why) mutable { welcome.deliver(std::move(why)); });
              return welcome;
            },
            [=](proof_atom, const std::string& nonce,
                const std::string& proof) -> caf::result<peer_handles> {
              auto welcome = self->make_response_promise<peer_handles>();
              if (through->cut) return welcome;
              self->request(caf::actor_cast<acceptor_actor>(near), caf::infinite, proof_atom::value,
                            nonce, proof)
                  .then(
                      [=](const peer_handles& peer) mutable {
                        if (!through->cut) welcome.deliver(through->far(peer));
                      },
                      [=](caf::error& why) mutable { welcome.deliver(std::move(why)); });
              return welcome;
            }};
  }

  caf::actor_system& system_;
  std::map<caf::actor_id, caf::actor> stand_ins_;
};

}  // namespace skanu
