// Two nodes connected by CAF's own protocol, in one process and in virtual time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/io/network/test_multiplexer.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "cluster/peers/acceptor.hpp"
#include "cluster/peers/caf_transport.hpp"
#include "cluster/peers/peers.hpp"
#include "cluster/peers/rpc_client.hpp"
#include "cluster/peers/rpc_server.hpp"
#include "tests/support/peer_calls.hpp"
#include "tests/support/scripted_payment.hpp"

namespace skanu {

struct caf_node_config : caf::actor_system_config {
  explicit caf_node_config(const std::string& name) {
    cluster_options options;
    options.name = name;
    configure(*this, options);
    set("scheduler.policy", caf::atom("testing"));
    set("logger.verbosity", caf::atom("quiet"));
    set("middleman.network-backend", caf::atom("testing"));
    set("middleman.manual-multiplexing", true);
    set("middleman.attach-utility-actors", true);
  }
};

/// One node with one peer.
class caf_node {
 public:
  static constexpr std::uint16_t port = 4711;

  caf_node(std::string node_name, std::uint64_t incarnation)
      : name(std::move(node_name)), identity{name, incarnation, "secret"} {
    scheduler_.clock().current_time += std::chrono::hours(1);
    here_.entities.of<payment_command>() = system.spawn(scripted_payment, &told);
    run();
  }
  caf_node(const caf_node&) = delete;
  caf_node& operator=(const caf_node&) = delete;
  ~caf_node() {
    told.clear();
    end(session_);
    end(rpc_server_);
    end(rpc_client_);
    end(connector_);
    end(acceptor_);
    end(here_.entities.of<payment_command>());
    run();
    // Runs off the remaining timers; the bound stops CAF's endless heartbeats.
    for (int i = 0; i < 100 && scheduler_.clock().trigger_timeout(); ++i) run();
  }

  /// Listens for connections made by `plug_in`.
  void listen(caf::io::accept_handle at) {
    acceptor_ = system.spawn<acceptor>(identity, [this](const hello& peer) {
      return peer.name == peer_
                 ? std::optional(peer_side{session_, rpc_client_, rpc_server_, peer_})
                 : std::nullopt;
    });
    network().provide_acceptor(port, at);
    scheduler_.inline_next_enqueue();
    if (!system.middleman().publish(acceptor_, port)) throw std::runtime_error("cannot publish");
  }

  /// Dials the peer where `plug_in` reports the peer reachable; waits to be dialed where `plug_in`
  /// is empty.
  void add_peer(const std::string& peer, std::function<bool()> plug_in) {
    peer_ = peer;
    rpc_client_ = system.spawn<rpc_client>(peer);
    rpc_server_ = system.spawn<rpc_server>(here_);
    if (plug_in)
      connector_ = system.spawn(connector, dial_target{peer, port, false}, std::move(plug_in));
    session_ = system.spawn<peer_session>(identity, expected_peer{peer}, rpc_client_, rpc_server_,
                                          connector_ ? std::optional(connector_) : std::nullopt,
                                          status, identity.incarnation);
  }

  called call(call_body body) {
    called c;
    caf::anon_send(rpc_client_, c.call(std::move(body)));
    return c;
  }
  bool up() const { return status->up; }

  /// Runs one waiting task; false without a task. Reads from the network only with `plugged`.
  bool step(bool plugged = true) {
    // Tasks run before reads: read_data also runs waiting tasks, but does not report them.
    return scheduler_.try_run_once() || network().try_exec_runnable() ||
           (plugged && (network().read_data() || network().try_accept_connection()));
  }
  void run() {
    while (step()) {
    }
  }
  void advance(caf::timespan time) { scheduler_.clock().advance_time(time); }

  caf::io::network::test_multiplexer& network() {
    return dynamic_cast<caf::io::network::test_multiplexer&>(system.middleman().backend());
  }

  std::string name;
  node_identity identity;
  std::vector<question> told;
  std::shared_ptr<peer_status> status = std::make_shared<peer_status>();

 private:
  template <class Handle>
  static void end(Handle& actor) {
    if (actor) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    actor = nullptr;
  }

  caf_node_config config_{name};

 public:
  caf::actor_system system{config_};

 private:
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  local_services here_;
  std::string peer_;
  rpc_client_actor rpc_client_;
  rpc_server_actor rpc_server_;
  peer_session_actor session_;
  connector_actor connector_;
  acceptor_actor acceptor_;
};

/// Two nodes, a and b; a dials b.
class caf_nodes {
 public:
  caf_nodes() {
    spdlog::set_level(spdlog::level::off);
    b.listen(at_b_);
    b.add_peer("a", nullptr);
    a.add_peer("b", [this] { return plug_in(); });
    run();
  }

  /// Delivers all messages and bytes. Time stands still.
  void run() {
    while (a.step(!cut) || b.step(!cut)) {
    }
  }
  void advance(std::chrono::milliseconds time) {
    for (; time.count() > 0; time -= step_) {
      a.advance(step_);
      b.advance(step_);
      run();
    }
  }

  /// Ends the connection and tells both sides.
  void close() {
    end(b, last_.value().first);
    close_at_a();
  }
  /// Ends the connection and tells only the dialing side.
  void close_at_a() {
    end(a, last_.value().second);
    last_.reset();
    advance(step_);
  }

  caf_node a{"a", 1};
  caf_node b{"b", 2};
  bool listens = true;  ///< True while b is reachable.
  bool cut = false;     ///< Drops all bytes, and tells neither side.

  /// Number of connections made by CAF. CAF reuses a standing connection for every later dial.
  int connections() {
    return plugged_in_ - (a.network().has_pending_scribe("b", caf_node::port) ? 1 : 0);
  }

 private:
  using handle = caf::io::connection_handle;

  static void end(caf_node& node, handle connection) {
    node.network()
        .impl_ptr(connection)
        ->io_failure(&node.network(), caf::io::network::operation::read);
  }

  bool plug_in() {
    if (!listens || cut) return false;
    if (a.network().has_pending_scribe("b", caf_node::port)) return true;
    ++plugged_in_;
    last_handle_ += 2;
    last_.emplace(handle::from_int(last_handle_), handle::from_int(last_handle_ + 1));
    b.network().prepare_connection(at_b_, last_->first, a.network(), "b", caf_node::port,
                                   last_->second);
    return true;
  }

  static constexpr std::chrono::milliseconds step_{10};
  int plugged_in_ = 0;
  std::int64_t last_handle_ = 100;
  caf::io::accept_handle at_b_ = caf::io::accept_handle::from_int(1);
  std::optional<std::pair<handle, handle>> last_;  ///< b's end and a's end.
};

}  // namespace skanu
