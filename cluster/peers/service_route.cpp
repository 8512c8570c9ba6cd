#include "cluster/peers/service_route.hpp"

#include "actors/supervision/failures.hpp"

namespace skanu {

service_route::service_route(caf::actor_config& config, rpc_client_actor nowhere)
    : service_route_actor::base(config), nowhere_(std::move(nowhere)), to_(nowhere_) {}

/// Releases the handles here because CAF's clock may hold the object for longer.
void service_route::on_exit() {
  nowhere_ = to_ = nullptr;
  followers_.clear();
}

service_route::behavior_type service_route::make_behavior() {
  contain_failures(*this);
  set_down_handler([this](const caf::down_msg& down) {
    if (down.source == to_.address()) to_ = nowhere_;
  });
  return {[this](outgoing_call& c) { send(to_, std::move(c)); },
          [this](pull_atom pull, service of, log_query& query) {
            return delegate(to_, pull, of, std::move(query));
          },
          [this](follow_atom follow, service of, const event_log_actor& log) {
            followers_.push_back({of, log});
            send(to_, follow, of, log);
          },
          [this](route_atom, const rpc_client_actor& client) { turn_to(client); },
          // A route is no peer's client: peers and sessions know only the clients behind the route.
          [](reply_atom, call_number, const std::string&) {}, [](grown_atom, std::uint8_t) {},
          [](const peer_arrived&) {}, [](const peer_lost&) {}, [](sweep_atom) {}};
}

void service_route::turn_to(const rpc_client_actor& client) {
  if (client == to_) return;
  demonitor(to_.address());
  to_ = client;
  monitor(to_);
  for (const auto& f : followers_) send(to_, follow_atom::value, f.of, f.log);
}

}  // namespace skanu
