// Calls to a service whose node is found by its handshake.
#include "cluster/peers/service_route.hpp"

#include <gtest/gtest.h>

#include "cluster/peers/rpc_client.hpp"
#include "tests/support/peer_calls.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

/// Messages that a client behind the route received.
struct told {
  int calls = 0, pulls = 0, follows = 0;
};

rpc_client_actor::behavior_type scripted_client(rpc_client_actor::pointer, told* seen) {
  return {[=](reply_atom, call_number, const std::string&) {},
          [](grown_atom, std::uint8_t) {},
          [=](outgoing_call& c) {
            ++seen->calls;
            c.take(accepted{});
          },
          [=](pull_atom, service, log_query& query) {
            ++seen->pulls;
            event_batch batch;
            batch.next = query.from;
            return batch;
          },
          [=](follow_atom, service, const event_log_actor&) { ++seen->follows; },
          [](const peer_arrived&) {},
          [](const peer_lost&) {},
          [](sweep_atom) {}};
}

class service_route_test : public actor_fixture {
 protected:
  rpc_client_actor nowhere = start<rpc_client>("delivery");
  service_route_actor route = start<service_route>(nowhere);

  void turn_to(const rpc_client_actor& client) {
    caf::anon_send(route, route_atom::value, client);
    run();
  }
  std::string word() {
    called c;
    caf::anon_send(route, c.call(entity_call{service::delivery, 1}));
    run();
    advance(seconds(3));
    return c.word();
  }
};

TEST_F(service_route_test, a_service_that_no_node_was_found_for_is_away) {
  EXPECT_EQ(word(), "service-away");
}

TEST_F(service_route_test, calls_go_to_the_node_found_last_and_are_refused_after_its_end) {
  told first, second;
  const rpc_client_actor one = system.spawn(scripted_client, &first);
  const rpc_client_actor other = keep(system.spawn(scripted_client, &second));
  turn_to(one);
  EXPECT_EQ(word(), "accepted");
  turn_to(other);
  EXPECT_EQ(word(), "accepted");
  turn_to(one);
  EXPECT_EQ(word(), "accepted");
  EXPECT_EQ(first.calls, 2);
  EXPECT_EQ(second.calls, 1);
  caf::anon_send_exit(one, caf::exit_reason::kill);
  run();
  EXPECT_EQ(word(), "service-away");
}

TEST_F(service_route_test, followers_of_the_log_follow_the_node_found_later) {
  told seen;
  int pulls = 0;
  const event_log_actor log = keep(system.spawn(silent_log, &pulls));
  caf::anon_send(route, follow_atom::value, service::delivery, log);
  run();
  const rpc_client_actor found = keep(system.spawn(scripted_client, &seen));
  turn_to(found);
  EXPECT_EQ(seen.follows, 1);
  turn_to(found);
  EXPECT_EQ(seen.follows, 1) << "it is followed already";
  caf::anon_send(route, follow_atom::value, service::delivery, event_log_actor());
  run();
  EXPECT_EQ(seen.follows, 2) << "a follower that comes later";
}

}  // namespace
}  // namespace skanu
