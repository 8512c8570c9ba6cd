#include "cluster/peers/peers.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "cluster/peers/rpc_client.hpp"

namespace skanu {

namespace {

template <class Handle>
void end_actor(Handle& actor) {
  if (actor) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  actor = nullptr;
}

}  // namespace

peers::peers(caf::actor_system& system, cluster_options options, transport& by, seed_source& seeds,
             std::function<instant()> wall_clock)
    : system_(system),
      options_(std::move(options)),
      by_(by),
      seeds_(seeds),
      identity_{options_.name, seeds.next(), options_.secret} {
  identity_.wall_clock = std::move(wall_clock);
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
      spdlog::error("event=service_twice service={} peer={} other={}", word, found, name);
      continue;
    }
    if (found != name) spdlog::info("event=service_found service={} peer={}", word, name);
    found = name;
    caf::anon_send(routes_[static_cast<std::size_t>(*s)], route_atom::value,
                   here->second->rpc_client);
  }
}

void peers::start(local_services here) {
  here_ = std::move(here);
  if (!options_.given()) return;
  for (auto& [name, p] : peers_) {
    const auto connector = by_.connector_to(p->address);
    others_.push_back(caf::actor_cast<caf::actor>(connector));
    start(*p, connector);
  }
  acceptor_ =
      system_.spawn<acceptor>(identity_, [this](const hello& said) { return side_of(said); });
  port_ = by_.publish(acceptor_);
  spdlog::info("event=node_listens address={}:{} tls={}", options_.address, port_,
               options_.tls.given());
}

void peers::end(peer& p) {
  end_actor(p.session);
  end_actor(p.rpc_server);
  end_actor(p.rpc_client);
}

void peers::start(peer& p, std::optional<connector_actor> by) {
  p.rpc_server = system_.spawn<rpc_server>(here_);
  p.session = system_.spawn<peer_session>(
      identity_, expected_peer{p.address.name, p.address.services}, p.rpc_client, p.rpc_server,
      std::move(by), p.status, seeds_.next());
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
  if (port_ != 0) by_.unpublish(acceptor_, port_);
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
