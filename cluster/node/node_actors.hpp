// The actors of a node: entities, logs, checkout, consumers. Sockets, files, threads, clock and
// chance are handed in, so that a test runs several nodes in one process and in virtual time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/consumers/policy.hpp"
#include "actors/entities/environment.hpp"
#include "actors/operations/breaker_display.hpp"
#include "actors/operations/faults.hpp"
#include "actors/rules/id_recovery.hpp"
#include "actors/supervision/supervisor.hpp"
#include "cluster/peers/peers.hpp"
#include "http/api/gateway.hpp"
#include "http/streams/event_stream.hpp"

namespace skanu {

/// The tools of a node's actors. All objects outlive the actors.
struct node_tools {
  caf::actor_system& system;
  peers& others;
  /// Databases and journals of the services here; null for services elsewhere.
  std::array<const service_environment*, service_count> environments;
  fault_plan& faults;
  node_metrics& metrics;
  breaker_display& breaker;
  seed_source& seeds;
  /// Receives changed order traces; null on a node that shows none.
  frame_sink* traces = nullptr;
  std::string link_base = {};  ///< The front of links to the traces (link_base.hpp).
  /// Reports each log here before its first commit; the journal sends hints to the log.
  std::function<void(service, const event_log_actor&)> log_started = {};
};

/// The facts that a node's checkout begins with.
struct checkout_start {
  id_recovery ids;
  bool shared_journal = false;  ///< Orders and payments are in one database.
  bool restored = false;        ///< As in checkout_limits.
  /// Names of the configured peers, other than payment's, with databases that know of orders.
  std::vector<std::string> followers = {};
};

/// Starts the actors of the services with an environment, and stand-ins for all other services.
/// Single-threaded.
class node_actors {
 public:
  node_actors(node_tools tools, checkout_start start);
  node_actors(const node_actors&) = delete;
  node_actors& operator=(const node_actors&) = delete;

  /// Starts policies, views and housekeepers under a supervisor. Call once, after the peers have
  /// started.
  void start_consumers();

  const checkout_actor& checkout_handle() const { return checkout_; }
  const supervisor_actor& consumers() const { return supervisor_; }

  /// Passes a peer's order knowledge to the checkout here. Any thread.
  void take_note(const std::string& peer, const order_knowledge& orders) const;

  /// Returns all services for the front. Call after start_consumers().
  service_directory directory();
  /// Returns the services here for peers, with `read` for their reads.
  local_services for_peers(const reader_actor& items, const reader_actor& pages);

  /// Sends exit messages to all actors but the supervisor.
  void end();
  /// Releases the handles: the actor system must outlive every handle. Call once no actor runs.
  void forget();

 private:
  bool runs_here(service s) const { return tools_.environments[static_cast<std::size_t>(s)]; }
  const service_environment& environment(service s) const {
    return *tools_.environments[static_cast<std::size_t>(s)];
  }
  event_log_actor& log(service s) { return logs_[static_cast<std::size_t>(s)]; }
  template <class Handle>
  Handle keep(Handle actor);
  template <class Rules>
  void start_region();
  event_log_actor start_log(service s);
  checkout_actor start_checkout(checkout_start start);
  child child_of(policy_definition p);
  child trace_child();
  child feed_child();
  child housekeeper_child(service s);
  std::function<std::unique_ptr<reading>()> reader_of(service s) const;

  node_tools tools_;
  std::vector<caf::actor> long_lived_;
  regions entities_;
  std::array<event_log_actor, service_count> logs_;
  checkout_actor checkout_;
  supervisor_actor supervisor_;
};

}  // namespace skanu
