// CAF's handling of connections and of its own broker, on real sockets and in real time.
#include "cluster/peers/middleman.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "cluster/peers/caf_transport.hpp"
#include "cluster/peers/peers.hpp"
#include "cluster/protocol/reachable.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

cluster_options node_a() {
  cluster_options options;
  options.name = "a";
  return options;
}

struct node_config : caf::actor_system_config {
  node_config() {
    configure(*this, node_a());
    set("logger.verbosity", caf::atom("quiet"));
  }
};

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

/// Accepts connections, and sends no byte.
struct silent_listener {
  silent_listener() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(socket, 8), 0);
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size), 0);
    port = ntohs(at.sin_port);
  }
  silent_listener(const silent_listener&) = delete;
  silent_listener& operator=(const silent_listener&) = delete;
  ~silent_listener() { ::close(socket); }

  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port = 0;
};

// CAF's broker sends heartbeats to itself. A heartbeat queued behind the broker's end must not keep
// the broker and its mailbox alive forever.
TEST(middleman_test, a_broker_that_ended_is_not_kept_by_a_message_to_itself) {
  caf::weak_actor_ptr kept;
  {
    node_config config;
    caf::actor_system system{config};
    const auto broker = broker_of(system);
    kept = caf::actor_cast<caf::weak_actor_ptr>(broker);
    caf::scoped_actor self{system};
    self->send_exit(broker, caf::exit_reason::user_shutdown);
    self->wait_for(broker);
    caf::send_as(broker, broker, caf::tick_atom::value);
  }
  EXPECT_FALSE(kept.lock());
}

// A connection must not count as silent before its first bytes can arrive, or the next heartbeat
// closes the connection during the handshake. A close in the turn of the connect makes CAF's loop
// forget the connection and leak the socket.
TEST(middleman_test, a_heartbeat_does_not_end_a_handshake_before_its_time) {
  constexpr milliseconds heartbeat{50}, patience{500};
  node_config config;
  config.set("middleman.heartbeat-interval", caf::timespan(heartbeat));
  config.set("middleman.connection-timeout", caf::timespan(patience));
  caf::actor_system system{config};
  const silent_listener other;
  // Blocks the loop, so that the loop finds connection and heartbeat in the same turn.
  system.middleman().backend().post([=] { std::this_thread::sleep_for(3 * heartbeat); });
  const auto began = steady_clock::now();
  const auto found = system.middleman().connect("127.0.0.1", other.port);
  EXPECT_EQ(found, caf::sec::connection_timeout);
  EXPECT_GE(steady_clock::now() - began, patience);
}

// CAF never closes a connection accepted while CAF ends, so the node stops accepting first.
TEST(middleman_test, a_node_that_ends_takes_no_more_connections) {
  node_config config;
  caf::actor_system system{config};
  seed_source seeds{1};
  caf_transport transport{system, node_a()};
  peers known{system, node_a(), transport, seeds};
  known.start({});
  EXPECT_TRUE(reachable("127.0.0.1", known.port(), milliseconds(1'000)));
  known.stop();
  EXPECT_FALSE(reachable("127.0.0.1", known.port(), milliseconds(1'000)));
}

}  // namespace
}  // namespace skanu
