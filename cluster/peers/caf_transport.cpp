#include "cluster/peers/caf_transport.hpp"

#include <chrono>
#include <set>
#include <system_error>

#include <spdlog/spdlog.h>
#include <caf/io/all.hpp>
#include <caf/openssl/all.hpp>

#include "actors/supervision/failures.hpp"
#include "cluster/peers/middleman.hpp"
#include "cluster/protocol/certificate.hpp"
#include "cluster/protocol/reachable.hpp"
#include "persistence/files/new_files.hpp"

namespace skanu {

namespace {

/// Time limit of a connector's probe of an address, before CAF connects.
constexpr std::chrono::milliseconds dial_patience{500};

/// Silence before CAF closes a connection (the other end is frozen or cut off), to make room for a
/// new connection. The sessions notice the silence earlier.
constexpr std::chrono::milliseconds heartbeat{500}, connection_silence{2'500};

}  // namespace

void configure(caf::actor_system_config& config, const cluster_options& options) {
  if (!options.given()) return;
  config.add_message_type<peer_handles>("skanu::peer_handles");
  config.load<guarded_middleman>();
  config.set("middleman.workers", std::size_t{0});
  config.set("middleman.heartbeat-interval", caf::timespan(heartbeat));
  config.set("middleman.connection-timeout", caf::timespan(connection_silence));
  if (!options.tls.given()) return;
  config.load<caf::openssl::manager>();
  config.openssl_certificate = options.tls.certificate;
  config.openssl_key = options.tls.key;
  config.openssl_cafile = options.tls.authority;
}

connector_actor caf_transport::connector_to(const peer_address& peer) {
  const dial_target target{peer.host, peer.port, options_.tls.given()};
  return system_.spawn<caf::detached>(
      connector, target, [target] { return reachable(target.host, target.port, dial_patience); });
}

std::uint16_t caf_transport::publish(const acceptor_actor& acceptor) {
  const auto opened =
      options_.tls.given()
          ? caf::openssl::publish(acceptor, options_.port, options_.address.c_str(), true)
          : system_.middleman().publish(acceptor, options_.port, options_.address.c_str(), true);
  if (!opened)
    throw std::system_error(std::make_error_code(std::errc::address_in_use),
                            "cannot listen for other nodes on " + options_.address + ":" +
                                std::to_string(options_.port));
  if (options_.tls.given()) {
    warn_of_end(read_certificate(options_.tls.certificate), wall_clock_now());
    warn_if_open_to_others(options_.tls.key);
  }
  return *opened;
}

void caf_transport::unpublish(const acceptor_actor& acceptor, std::uint16_t port) {
  system_.middleman().unpublish(acceptor, port);
}

connector_actor::behavior_type connector(connector_actor::pointer self, const dial_target& target,
                                         const std::function<bool()>& reachable) {
  contain_failures(*self);
  const auto found = std::make_shared<caf::typed_response_promise<acceptor_actor>>();
  // A stored promise would keep the actor alive for ever: clear the promise if the actor ends while
  // CAF connects.
  self->attach_functor([found] { *found = {}; });
  return {[=](dial_atom) -> caf::result<acceptor_actor> {
    if (!reachable()) return caf::make_error(caf::sec::cannot_connect_to_node);
    *found = self->make_response_promise<acceptor_actor>();
    const auto connector = target.tls ? self->system().openssl_manager().actor_handle()
                                      : self->system().middleman().actor_handle();
    self->request(connector, std::chrono::seconds(2), caf::connect_atom::value, target.host,
                  target.port)
        .then(
            [found](const caf::node_id&, const caf::strong_actor_ptr& actor,
                    const std::set<std::string>&) {
              auto asked = std::exchange(*found, {});
              if (actor) {
                asked.deliver(caf::actor_cast<acceptor_actor>(actor));
              } else {
                asked.deliver(caf::make_error(caf::sec::no_actor_published_at_port));
              }
            },
            [found](caf::error& why) { std::exchange(*found, {}).deliver(std::move(why)); });
    return *found;
  }};
}

}  // namespace skanu
