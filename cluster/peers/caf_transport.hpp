// The transport over CAF's broker, with TLS where the options give certificates.
#pragma once

#include <functional>
#include <string>

#include "cluster/peers/transport.hpp"

namespace skanu {

/// Sets CAF's options; call before CAF's system starts.
void configure(caf::actor_system_config& config, const cluster_options& options);

class caf_transport final : public transport {
 public:
  caf_transport(caf::actor_system& system, const cluster_options& options)
      : system_(system), options_(options) {}

  connector_actor connector_to(const peer_address& peer) override;
  std::uint16_t publish(const acceptor_actor& acceptor) override;
  void unpublish(const acceptor_actor& acceptor, std::uint16_t port) override;

 private:
  caf::actor_system& system_;
  cluster_options options_;
};

struct dial_target {
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
};

/// Returns the behavior of an actor connecting to `target`. `reachable` returns true if the target
/// accepts connections; the call may block for as long as the resolver needs, so the connector runs
/// detached.
///
/// CAF's middleman connects with a blocking call. An unresponsive address would block the middleman
/// for minutes, and with it the connections to all other peers. So the connector asks CAF only
/// after a probe of the address succeeded in time.
connector_actor::behavior_type connector(connector_actor::pointer self, const dial_target& target,
                                         const std::function<bool()>& reachable);

}  // namespace skanu
