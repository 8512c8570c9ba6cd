#include "cluster/peers/peers.hpp"

#include <algorithm>
#include <random>
#include <system_error>

#include <spdlog/spdlog.h>
#include <caf/io/all.hpp>
#include <caf/openssl/all.hpp>

#include "cluster/peers/middleman.hpp"
#include "cluster/peers/reader.hpp"
#include "cluster/peers/rpc_client.hpp"
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

std::uint64_t new_incarnation() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32 | random();
}

template <class Handle>
void end_actor(Handle& actor) {
  if (actor) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  actor = nullptr;
}

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

peers::peers(caf::actor_system& system, cluster_options options)
    : system_(system),
      options_(std::move(options)),
      identity_{options_.name, new_incarnation(), options_.secret} {
  identity_.services = options_.services;
  identity_.on_proved = [this](const std::string& name, const hello& said) {
    take_note(name, said);
  };
  for (const auto& address : options_.peers) {
    auto p = std::make_unique<peer>();
    p->address = address;
    p->rpc_client = system_.spawn<rpc_client>(address.name);
    for (const auto s : address.services) clients_[static_cast<std::size_t>(s)] = p->rpc_client;
    peers_.emplace(address.name, std::move(p));
  }
  for (const auto s : all_services) {
    const auto i = static_cast<std::size_t>(s);
    if (clients_[i]) continue;
    const rpc_client_actor nowhere = system_.spawn<rpc_client>(std::string(name_of(s)));
    routes_[i] = system_.spawn<service_route>(nowhere);
    clients_[i] = routes_[i];
    others_.push_back(caf::actor_cast<caf::actor>(nowhere));
    others_.push_back(caf::actor_cast<caf::actor>(routes_[i]));
  }
}

std::shared_ptr<const peer_status> peers::status_of(service s) const {
  const auto name = node_of(s);
  const std::lock_guard lock(mutex_);
  const auto p = peers_.find(name);
  return p == peers_.end() ? nullptr : p->second->status;
}

std::string peers::node_of(service s) const {
  for (const auto& p : options_.peers)
    if (std::ranges::find(p.services, s) != p.services.end()) return p.name;
  const std::lock_guard lock(mutex_);
  return found_[static_cast<std::size_t>(s)];
}

/// Turns the route of a service without a configured node to the peer that runs the service. The
/// first such peer keeps the service for as long as that peer is up.
void peers::take_note(const std::string& name, const hello& said) {
  const std::lock_guard lock(mutex_);
  const auto here = peers_.find(name);
  if (here == peers_.end()) return;
  for (const auto& word : said.services) {
    const auto s = service_named(word);
    if (!s || !routes_[static_cast<std::size_t>(*s)]) continue;
    if (std::ranges::find(options_.services, *s) != options_.services.end()) continue;
    auto& found = found_[static_cast<std::size_t>(*s)];
    const auto other = peers_.find(found);
    if (found != name && other != peers_.end() && other->second->status->up) {
      spdlog::error("event=service_twice service={} node={} other={}", word, found, name);
      continue;
    }
    if (found != name) spdlog::info("event=service_found service={} node={}", word, name);
    found = name;
    caf::anon_send(routes_[static_cast<std::size_t>(*s)], route_atom::value,
                   here->second->rpc_client);
  }
}

void peers::start(local_services here) {
  here_ = std::move(here);
  if (!options_.given()) return;
  for (auto* r : {&here_.item_reader, &here_.page_reader}) {
    *r = system_.spawn<caf::detached>(reader);
    others_.push_back(caf::actor_cast<caf::actor>(*r));
  }
  for (auto& [name, p] : peers_) {
    const dial_target target{p->address.host, p->address.port, options_.tls.given()};
    const auto by = system_.spawn<caf::detached>(
        connector, target, [target] { return reachable(target.host, target.port, dial_patience); });
    others_.push_back(caf::actor_cast<caf::actor>(by));
    start(*p, by);
  }
  acceptor_ =
      system_.spawn<acceptor>(identity_, [this](const hello& said) { return side_of(said); });
  port_ = publish();
  if (options_.tls.given()) {
    warn_of_end(read_certificate(options_.tls.certificate), wall_clock_now());
    warn_if_open_to_others(options_.tls.key);
  }
  spdlog::info("event=node_listens node={} address={}:{} tls={}", options_.name, options_.address,
               port_, options_.tls.given());
}

void peers::end(peer& p) {
  end_actor(p.session);
  end_actor(p.rpc_server);
  end_actor(p.rpc_client);
}

void peers::start(peer& p, std::optional<connector_actor> by) {
  p.rpc_server = system_.spawn<rpc_server>(here_);
  p.session =
      system_.spawn<peer_session>(identity_, expected_peer{p.address.name, p.address.services},
                                  p.rpc_client, p.rpc_server, std::move(by), p.status);
}

/// A peer of the hello's name, or else configured by services that the hello lists.
peers::peer* peers::configured_for(const hello& of) {
  if (const auto found = peers_.find(of.name); found != peers_.end()) return found->second.get();
  for (const auto& [name, p] : peers_)
    if (!p->stranger && expected_peer{name, p->address.services}.is(of)) return p.get();
  return nullptr;
}

std::optional<peer_side> peers::side_of(const hello& of) {
  const std::lock_guard lock(mutex_);
  if (leaving_) return std::nullopt;
  auto* p = configured_for(of);
  if (p == nullptr) {
    if (!room_for_a_stranger()) return std::nullopt;
    auto stranger = std::make_unique<peer>();
    stranger->address.name = of.name;
    stranger->stranger = true;
    stranger->rpc_client = system_.spawn<rpc_client>(of.name);
    start(*stranger, std::nullopt);
    p = peers_.emplace(of.name, std::move(stranger)).first->second.get();
  }
  p->status->away_since = system_.clock().now();  // keeps the place of a peer about to connect
  return peer_side{p->session, p->rpc_client, p->rpc_server, p->address.name};
}

/// Removes the strangers absent for `stranger_kept`.
bool peers::room_for_a_stranger() {
  const auto now = system_.clock().now();
  std::erase_if(peers_, [now](const auto& named) {
    auto& p = *named.second;
    if (!p.stranger || p.status->up || now - p.status->away_since.load() < stranger_kept)
      return false;
    end(p);
    return true;
  });
  const auto strangers =
      std::ranges::count_if(peers_, [](const auto& named) { return named.second->stranger; });
  return static_cast<std::size_t>(strangers) < most_strangers;
}

std::uint16_t peers::publish() {
  const auto opened =
      options_.tls.given()
          ? caf::openssl::publish(acceptor_, options_.port, options_.address.c_str(), true)
          : system_.middleman().publish(acceptor_, options_.port, options_.address.c_str(), true);
  if (!opened)
    throw std::system_error(std::make_error_code(std::errc::address_in_use),
                            "cannot listen for other nodes on " + options_.address + ":" +
                                std::to_string(options_.port));
  return *opened;
}

void peers::leave(std::chrono::milliseconds limit) {
  std::vector<std::pair<std::string, peer_side>> sides;
  {
    // Released before the waits below: otherwise the acceptor would block a shared thread.
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    for (const auto& [name, p] : peers_)
      if (p->session) sides.emplace_back(name, peer_side{p->session, p->rpc_client, p->rpc_server});
  }
  const auto until = std::chrono::steady_clock::now() + limit;
  caf::scoped_actor self{system_};
  for (const auto& [name, side] : sides) self->send(side.session, leave_atom::value);
  for (const auto& [name, side] : sides) {
    const auto left = std::max(
        std::chrono::milliseconds(1),
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()));
    self->request(side.rpc_server, left, leave_atom::value)
        .receive(
            [](bool) {},
            [peer = name](caf::error&) { spdlog::warn("event=calls_left_behind peer={}", peer); });
  }
}

void peers::stop() {
  // CAF loses a connection accepted at the moment of the acceptor's end, so accept no more first.
  if (port_ != 0) system_.middleman().unpublish(acceptor_, port_);
  // No lock: side_of() may block the acceptor's thread on the mutex.
  end_actor(acceptor_);
  const std::lock_guard lock(mutex_);
  leaving_ = true;
  for (auto& [name, p] : peers_) end(*p);
  for (auto& a : others_) end_actor(a);
  others_.clear();
  clients_.fill({});
  routes_.fill({});
  here_ = {};
}

}  // namespace skanu
