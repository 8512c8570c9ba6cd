// Two nodes find, recognise, watch and lose each other.
#include "cluster/link.hpp"

#include <gtest/gtest.h>

#include "tests/support/log_capture.hpp"
#include "tests/support/two_nodes.hpp"

namespace skanu {
namespace {

class link_test : public two_nodes_test {
 protected:
  link_test() : a(node("a")), b(node("b")) {
    a.here.payments = prompt_payments();
    b.here.payments = prompt_payments();
  }

  /// Both have each other for a peer; each dials the other.
  void connect() {
    add_peer(b, "a", "a");
    add_peer(a, "b", "b");
    ASSERT_TRUE(both_up());
  }

  bool both_up() const { return up(a, "b") && up(b, "a"); }
  bool both_down() const { return !up(a, "b") && !up(b, "a"); }

  /// Calls in both directions are answered.
  void expect_calls_answered() {
    EXPECT_EQ(call(a, "b", change(1)).word(), "accepted");
    EXPECT_EQ(call(b, "a", change(2)).word(), "accepted");
  }

  node_side& a;
  node_side& b;
};

// --- Coming up ---------------------------------------------------------------------------------

TEST_F(link_test, both_come_up_where_only_the_first_dials) {
  add_peer(b, "a", "");
  add_peer(a, "b", "b");
  EXPECT_TRUE(both_up());
  EXPECT_EQ(b.dials, 1);
  EXPECT_EQ(a.dials, 0);
  expect_calls_answered();
}

TEST_F(link_test, both_come_up_where_only_the_second_dials) {
  add_peer(a, "b", "");
  add_peer(b, "a", "a");
  EXPECT_FALSE(up(b, "a"));
  advance(milliseconds(1'300));
  EXPECT_TRUE(both_up());
  expect_calls_answered();
}

TEST_F(link_test, both_come_up_where_both_dial_at_once) {
  link_limits eager;
  eager.yield = milliseconds(0);
  b.listens = a.listens = false;
  add_peer(a, "b", "b", eager);
  add_peer(b, "a", "a", eager);
  advance(milliseconds(20));
  b.listens = a.listens = true;
  advance(seconds(3));
  EXPECT_TRUE(both_up());
  expect_calls_answered();
  const auto dials = a.dials + b.dials;
  advance(seconds(10));
  EXPECT_TRUE(both_up());
  EXPECT_EQ(a.dials + b.dials, dials) << "a connection that stands is left alone";
}

TEST_F(link_test, the_second_by_name_waits_a_second_before_it_dials) {
  add_peer(b, "a", "a");
  advance(milliseconds(900));
  EXPECT_EQ(a.dials, 0);
  advance(milliseconds(400));
  EXPECT_GT(a.dials, 0);
}

TEST_F(link_test, the_order_of_start_does_not_matter) {
  b.listens = false;
  add_peer(a, "b", "b");
  advance(seconds(30));
  EXPECT_FALSE(up(a, "b"));
  b.listens = true;
  add_peer(b, "a", "");
  advance(milliseconds(800));
  EXPECT_TRUE(both_up());
  expect_calls_answered();
}

TEST_F(link_test, dials_without_end_at_a_capped_rate_and_says_why_once) {
  log_capture log;
  b.listens = false;
  add_peer(a, "b", "b");
  advance(minutes(1));
  EXPECT_EQ(log.lines_with("event=peer_not_reached", "peer=b"), 1) << log.text();
  b.listens = true;  // but has nothing for a
  const auto before = b.dials;
  advance(minutes(1));
  EXPECT_GE(b.dials - before, 60);
  EXPECT_LE(b.dials - before, 240);
  EXPECT_FALSE(up(a, "b"));
}

// --- Whom it does not take ---------------------------------------------------------------------

TEST_F(link_test, a_node_with_another_secret_is_refused_and_both_say_so) {
  log_capture log;
  auto& other = node("c", "another secret");
  other.here.payments = prompt_payments();
  add_peer(other, "a", "a");
  add_peer(a, "c", "c");
  advance(seconds(10));
  EXPECT_FALSE(up(a, "c"));
  EXPECT_FALSE(up(other, "a"));
  for (const auto* peer : {"peer=a", "peer=c"}) {
    EXPECT_GE(log.lines_with("event=peer_refused", peer, "another cluster's secret"), 1) << peer;
    EXPECT_EQ(log.lines_with("event=peer_not_reached", peer, "another cluster's secret"), 1)
        << peer;
  }
  EXPECT_LE(other.dials, 40) << "at a capped rate";
  EXPECT_EQ(call(a, "c", change(1)).word(), "service-away");
  EXPECT_EQ(carried_out(), 0);
}

/// A door of a node that speaks another protocol.
door_actor::behavior_type foreign_door(door_actor::pointer, peer_handles handles) {
  return {[=](hello_atom, const std::string&, const peer_handles&)
              -> caf::result<std::string, std::string, peer_handles> {
    const hello other{protocol_version + 1, "b", 1, "nonce"};
    return {encode(other), std::string("?"), handles};
  }};
}

/// What is said of a node of the next version.
std::string other_versions() {
  return std::to_string(protocol_version + 1) + ", this node " + std::to_string(protocol_version);
}

TEST_F(link_test, a_door_of_another_protocol_version_is_left_alone) {
  log_capture log;
  add_peer(b, "a", "");
  const auto& p = *b.peers.at("a");
  b.door = keep(system.spawn(foreign_door, peer_handles{p.link, p.caller, p.servant}));
  add_peer(a, "b", "b");
  advance(seconds(5));
  EXPECT_FALSE(up(a, "b"));
  EXPECT_EQ(log.lines_with("peer=b", "it speaks protocol " + other_versions()), 1) << log.text();
}

TEST_F(link_test, a_dialer_of_another_protocol_version_is_refused) {
  log_capture log;
  add_peer(a, "b", "");
  caf::scoped_actor self{system};
  const auto greet = [&](const std::string& bytes) {
    auto greeted = self->request(a.door, caf::infinite, hello_atom::value, bytes, peer_handles{});
    run();
    std::string why = "welcome";
    greeted.receive([](const std::string&, const std::string&, const peer_handles&) {},
                    [&](caf::error& e) { why = system.render(e); });
    return why;
  };
  const auto other = encode(hello{protocol_version + 1, "b", 1, "nonce"});
  EXPECT_NE(greet(other).find("protocol " + other_versions()), std::string::npos);
  EXPECT_EQ(log.lines_with("event=peer_refused", "protocol " + other_versions()), 1);
  EXPECT_NE(greet("\x01").find("cannot be read"), std::string::npos);
  EXPECT_NE(greet(encode(make_hello("a b\n", 1))).find("name"), std::string::npos);
  EXPECT_NE(greet(encode(make_hello("a", 1))).find("own name"), std::string::npos);
  EXPECT_NE(greet(encode(make_hello("x", 1))).find("too many"), std::string::npos);
  EXPECT_EQ(log.text().find("a b"), std::string::npos) << "what a stranger says is not logged";
  EXPECT_EQ(greet(encode(make_hello("b", 1))), "welcome");
  EXPECT_FALSE(up(a, "b")) << "a hello proves nothing";
}

// A dialer proved itself to whatever node it found there, which then took it for its peer and gave
// up the right connection.
TEST_F(link_test, another_node_at_a_peers_address_is_left_alone_and_loses_nothing) {
  connect();
  log_capture log;
  add_peer(a, "c", "b");
  advance(seconds(10));
  EXPECT_FALSE(up(a, "c"));
  EXPECT_EQ(log.lines_with("peer=c", "there is a node named b at its address"), 1) << log.text();
  EXPECT_EQ(log.lines_with("event=peer_lost"), 0) << log.text();
  EXPECT_TRUE(both_up());
  expect_calls_answered();
}

TEST_F(link_test, a_strangers_word_counts_for_nothing) {
  connect();
  const auto link = caf::actor_cast<caf::actor>(a.peers.at("b")->link);
  received_answers ignored;
  const auto stranger = keep(system.spawn(scripted_caller, &ignored));
  const auto say = [&](auto... what) {
    caf::send_as(caf::actor_cast<caf::actor>(stranger), link, what...);
    caf::anon_send(link, what...);
    run();
  };
  say(bye_atom::value);
  EXPECT_TRUE(both_up());
  between.cut = true;
  for (int i = 0; i < 20; ++i) {
    say(alive_atom::value);
    advance(milliseconds(100));
  }
  EXPECT_TRUE(both_down()) << "its silence is noticed all the same";
  say(proof_atom::value, std::string("proof"));
  say(alive_atom::value);
  EXPECT_TRUE(both_down());
}

TEST_F(link_test, a_proof_is_good_for_its_own_hello_only) {
  add_peer(a, "b", "");
  received_answers ignored;
  const auto dialer = caf::actor_cast<peer_link_actor>(
      keep(system.spawn(scripted_caller, &ignored)));
  const auto own = make_hello("b", 7);
  std::string door_hello;
  const auto greet = [&] {
    caf::scoped_actor self{system};
    auto greeted = self->request(a.door, caf::infinite, hello_atom::value, encode(own),
                                 peer_handles{dialer, {}, {}});
    run();
    greeted.receive([&](const std::string& theirs, const std::string&,
                        const peer_handles&) { door_hello = theirs; },
                    [](caf::error&) { FAIL(); });
  };
  const auto prove = [&](const std::string& proof) {
    caf::send_as(caf::actor_cast<caf::actor>(dialer),
                 caf::actor_cast<caf::actor>(a.peers.at("b")->link), proof_atom::value, proof);
    run();
    return up(a, "b");
  };
  const auto proof = [&](proving_side by) {
    return proof_of("secret", by, own, decode_hello(door_hello));
  };
  greet();
  const auto last = proof(proving_side::dialer);
  greet();
  EXPECT_FALSE(prove(last)) << "of the last handshake";
  greet();
  EXPECT_FALSE(prove(proof(proving_side::door))) << "the door's own, sent back";
  EXPECT_FALSE(prove(proof(proving_side::dialer))) << "one try for each hello";
  greet();
  EXPECT_TRUE(prove(proof(proving_side::dialer)));
}

// --- Losing and finding again ------------------------------------------------------------------

TEST_F(link_test, a_silent_peer_is_lost_and_is_there_again_when_it_speaks) {
  connect();
  between.cut = true;
  const auto waits = call(a, "b", change(1));
  advance(milliseconds(1'200));
  EXPECT_TRUE(both_up());
  advance(milliseconds(700));
  EXPECT_TRUE(both_down());
  EXPECT_EQ(waits.word(), "waiting");
  EXPECT_EQ(carried_out(), 0);
  advance(milliseconds(150));
  EXPECT_EQ(waits.word(), "outcome-unknown") << "two seconds after its last word";
  const auto dials = a.dials + b.dials;
  between.cut = false;
  advance(milliseconds(300));
  EXPECT_TRUE(both_up());
  EXPECT_EQ(a.dials + b.dials, dials) << "over the connection that there is";
  expect_calls_answered();
}

TEST_F(link_test, what_a_short_cut_swallowed_is_sent_again) {
  link_limits quick;
  quick.silence = milliseconds(500);
  add_peer(b, "a", "a", quick);
  add_peer(a, "b", "b", quick);
  ASSERT_TRUE(both_up());
  between.cut = true;
  const auto waits = call(a, "b", change(1));
  advance(milliseconds(1'000));
  EXPECT_TRUE(both_down());
  between.cut = false;
  advance(milliseconds(300));
  EXPECT_EQ(waits.word(), "accepted");
  EXPECT_EQ(carried_out(), 1);
}

TEST_F(link_test, a_connection_that_ends_is_noticed_at_once_and_made_again) {
  connect();
  between.loses = [](const caf::message& m) { return m.match_element<reply_atom>(0); };
  const auto waits = call(a, "b", change(1));
  EXPECT_EQ(waits.word(), "waiting");
  between.close();
  run();
  EXPECT_TRUE(both_down());
  between.loses = [](const caf::message&) { return false; };
  advance(milliseconds(300));
  EXPECT_TRUE(both_up());
  EXPECT_EQ(waits.word(), "accepted");
  EXPECT_EQ(carried_out(), 2) << "the repeat says that it is one";
  expect_calls_answered();
}

TEST_F(link_test, a_peer_that_starts_again_elsewhere_is_found_and_called_there) {
  connect();
  auto& again = node("b");
  again.here.payments = prompt_payments();
  b.listens = false;
  between.close();
  for (const auto& actor : {caf::actor_cast<caf::actor>(b.peers.at("a")->link),
                            caf::actor_cast<caf::actor>(b.peers.at("a")->servant)})
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  run();
  EXPECT_FALSE(up(a, "b"));
  const auto waits = call(a, "b", change(1));
  advance(milliseconds(500));
  EXPECT_EQ(waits.word(), "waiting");
  at_address["b"] = &again;
  add_peer(again, "a", "a");
  advance(milliseconds(800));
  EXPECT_EQ(waits.word(), "accepted");
  EXPECT_TRUE(up(again, "a"));
}

TEST_F(link_test, a_peer_that_dials_again_before_its_end_was_noticed_replaces_itself) {
  connect();
  auto& again = node("b");
  again.here.payments = prompt_payments();
  caf::anon_send_exit(b.peers.at("a")->link, caf::exit_reason::kill);
  run();
  EXPECT_TRUE(up(a, "b")) << "its connection stands as far as anybody knows";
  const auto lost = call(a, "b", change(1));
  link_limits eager;
  eager.yield = milliseconds(0);
  add_peer(again, "a", "a", eager);
  advance(milliseconds(100));
  EXPECT_TRUE(up(a, "b"));
  EXPECT_TRUE(up(again, "a"));
  EXPECT_EQ(call(again, "a", change(2)).word(), "accepted");
  EXPECT_EQ(call(a, "b", change(3)).word(), "accepted");
}

// --- Leaving -----------------------------------------------------------------------------------

TEST_F(link_test, calls_to_a_leaving_peer_are_held_until_it_is_back) {
  connect();
  log_capture log;
  caf::anon_send(b.peers.at("a")->link, leave_atom::value);
  run();
  EXPECT_FALSE(up(a, "b"));
  EXPECT_EQ(log.lines_with("event=peer_lost peer=b", "leaves"), 1) << log.text();
  const auto waits = call(a, "b", change(1));
  advance(milliseconds(1'000));
  EXPECT_EQ(waits.word(), "waiting");
  EXPECT_EQ(carried_out(), 0);
  EXPECT_FALSE(up(a, "b")) << "it is not taken for there again";
  auto& again = node("b");
  again.here.payments = prompt_payments();
  at_address["b"] = &again;
  add_peer(again, "a", "");
  between.close();
  advance(milliseconds(300));
  EXPECT_EQ(waits.word(), "accepted");
}

TEST_F(link_test, a_leaving_node_still_answers_what_it_took_and_dials_nobody) {
  connect();
  caf::anon_send(b.peers.at("a")->link, leave_atom::value);
  run();
  EXPECT_EQ(call(b, "a", change(1)).word(), "accepted") << "its own calls go on";
  between.close();
  a.listens = true;
  const auto dials = a.dials;
  b.listens = false;
  advance(seconds(5));
  EXPECT_EQ(a.dials, dials);
}

}  // namespace
}  // namespace skanu
