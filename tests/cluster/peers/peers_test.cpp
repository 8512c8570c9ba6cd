// Places of peers and strangers in a node.
#include "cluster/peers/peers.hpp"

#include <gtest/gtest.h>

#include "tests/support/virtual_cluster.hpp"

namespace skanu {
namespace {

hello named(std::string name) { return make_hello(std::move(name), 1); }

class peers_test : public actor_fixture {
 protected:
  ~peers_test() override {
    known.stop();
    run();
  }

  void fill(std::size_t places = peers::most_strangers) {
    for (std::size_t i = 0; i < places; ++i)
      ASSERT_TRUE(known.side_of(named("stranger" + std::to_string(i))));
    run();
  }

  /// An actor that ends with the test.
  peer_handles stranger() {
    const auto own = keep(system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      contain_failures(*self);
      return {[](alive_atom) {}};
    }));
    return {caf::actor_cast<remote_session_actor>(own), {}, {}};
  }
  void speak(const peer_handles& stranger, const peer_session_actor& to) {
    caf::send_as(caf::actor_cast<caf::actor>(stranger.session), caf::actor_cast<caf::actor>(to),
                 alive_atom::value);
    run();
  }

  static cluster_options options() {
    cluster_options o;
    o.name = "a";
    o.peers.push_back({"b", {service::payment}, "nowhere", 1});
    return o;
  }

  cable_network network{system};
  cable_transport by{system, network, "a"};
  peers known{system, options(), by, seeds};
};

TEST_F(peers_test, there_are_places_for_so_many_strangers) {
  fill();
  EXPECT_FALSE(known.side_of(named("one more")));
  EXPECT_TRUE(known.side_of(named("stranger0")));
  EXPECT_TRUE(known.side_of(named("b"))) << "it is expected";
}

// An absent stranger's place must become free, or old names keep all places forever.
TEST_F(peers_test, a_stranger_that_was_away_for_a_minute_gives_its_place_back) {
  fill();
  const auto old = known.side_of(named("stranger0"))->session;
  advance(seconds(59));
  EXPECT_FALSE(known.side_of(named("one more")));
  EXPECT_TRUE(known.side_of(named("stranger7")));
  advance(seconds(2));
  EXPECT_TRUE(known.side_of(named("one more")));
  EXPECT_NE(known.side_of(named("stranger0"))->session, old) << "it was forgotten";
  for (std::size_t i = 0; i < peers::most_strangers - 3; ++i)
    EXPECT_TRUE(known.side_of(named("new" + std::to_string(i))));
  EXPECT_FALSE(known.side_of(named("too many"))) << "stranger7 still has its place";
}

TEST_F(peers_test, a_stranger_that_is_there_keeps_its_place) {
  const auto here = stranger();
  const auto session = known.side_of(named("here"))->session;
  caf::anon_send(session, peer_offer{here, 1});
  run();
  for (int i = 0; i < 120; ++i) {
    speak(here, session);
    advance(seconds(1));
  }
  fill(peers::most_strangers - 1);
  EXPECT_FALSE(known.side_of(named("one more")));
  EXPECT_EQ(known.side_of(named("here"))->session, session);
}

TEST_F(peers_test, a_node_that_leaves_has_no_places) {
  known.stop();
  EXPECT_FALSE(known.side_of(named("b")));
  EXPECT_FALSE(known.side_of(named("stranger")));
}

// A peer that is configured by its services may have any name.
TEST_F(peers_test, a_configured_peer_is_known_by_its_services) {
  const auto expected = known.side_of(named("b"))->session;
  auto kitchen = named("till-7");
  kitchen.services = {"payment"};
  EXPECT_EQ(known.side_of(kitchen)->session, expected);
  EXPECT_EQ(known.side_of(kitchen)->name, "b");
  kitchen.services = {"stamp"};
  EXPECT_NE(known.side_of(kitchen)->session, expected) << "it runs another service";
}

}  // namespace
}  // namespace skanu
