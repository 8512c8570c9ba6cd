// Two nodes find, recognise, watch and lose each other.
#include "tests/support/hellos.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/peer_session_fixture.hpp"

namespace skanu {
namespace {

using slow_dialer_actor = connector_actor::extend<
    // Sent by the test: the answer to the last dial; nullopt for a failed dial.
    caf::reacts_to<proof_atom, std::optional<acceptor_actor>>>;

using slow_door_actor = acceptor_actor::extend<
    // Sent by the test: answer the last hello.
    caf::reacts_to<reply_atom>>;

}  // namespace
}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::optional<skanu::acceptor_actor>)

namespace skanu {
namespace {

/// A connector that answers on the test's order.
slow_dialer_actor::behavior_type slow_dialer(slow_dialer_actor::pointer self, int* dials) {
  auto last = std::make_shared<caf::typed_response_promise<acceptor_actor>>();
  return {[=](dial_atom) -> caf::result<acceptor_actor> {
            ++*dials;
            return *last = self->make_response_promise<acceptor_actor>();
          },
          [=](proof_atom, const std::optional<acceptor_actor>& found) {
            if (found) {
              last->deliver(*found);
            } else {
              last->deliver(caf::make_error(caf::sec::cannot_connect_to_node));
            }
          }};
}

struct visits {
  int hellos = 0, proofs = 0;
};

/// b's acceptor; answers a hello on the test's order, without a proof.
slow_door_actor::behavior_type slow_door(slow_door_actor::pointer self, visits* seen) {
  auto last = std::make_shared<caf::typed_response_promise<std::string, std::string>>();
  return {[=](hello_atom, const std::string&,
              const peer_handles&) -> caf::result<std::string, std::string> {
            ++seen->hellos;
            return *last = self->make_response_promise<std::string, std::string>();
          },
          [=](enter_atom, const std::string&,
              const std::string&) -> caf::result<std::string, peer_handles> {
            ++seen->proofs;
            return caf::make_error(caf::sec::runtime_error, "nobody is let in here");
          },
          [=](proof_atom, const std::string&, const std::string&) -> caf::result<peer_handles> {
            ++seen->proofs;
            return caf::make_error(caf::sec::runtime_error, "nobody is let in here");
          },
          [=](reply_atom) { last->deliver(encode(make_hello("b", 2)), std::string()); }};
}
// --- Coming up ---------------------------------------------------------------------------------

TEST_F(peer_session_test, both_come_up_where_only_the_first_dials) {
  add_peer(b, "a", "");
  add_peer(a, "b", "b");
  EXPECT_TRUE(both_up());
  EXPECT_EQ(b.dials, 1);
  EXPECT_EQ(a.dials, 0);
  expect_calls_answered();
}

TEST_F(peer_session_test, both_come_up_where_only_the_second_dials) {
  add_peer(a, "b", "");
  add_peer(b, "a", "a");
  EXPECT_FALSE(up(b, "a"));
  advance(milliseconds(1'300));
  EXPECT_TRUE(both_up());
  expect_calls_answered();
}

TEST_F(peer_session_test, both_come_up_where_both_dial_at_once) {
  b.listens = a.listens = false;
  add_peer(a, "b", "b", eager());
  add_peer(b, "a", "a", eager());
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

TEST_F(peer_session_test, the_second_by_name_waits_a_second_before_it_dials) {
  add_peer(b, "a", "a");
  advance(milliseconds(900));
  EXPECT_EQ(a.dials, 0);
  advance(milliseconds(400));
  EXPECT_GT(a.dials, 0);
}

TEST_F(peer_session_test, the_order_of_start_does_not_matter) {
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

TEST_F(peer_session_test, dials_without_end_at_a_capped_rate_and_says_why_once) {
  log_capture log;
  b.listens = false;
  add_peer(a, "b", "b");
  advance(minutes(1));
  EXPECT_EQ(log.lines_with("event=peer_not_reached", "peer=b"), 1) << log.text();
  b.listens = true;  // but b has no peer a
  const auto before = b.dials;
  advance(minutes(1));
  EXPECT_GE(b.dials - before, 60);
  EXPECT_LE(b.dials - before, 240);
  EXPECT_FALSE(up(a, "b"));
}

// A dial may wait long for the resolver. The session must not repeat a pending dial, or dials queue
// up behind one another.
TEST_F(peer_session_test, one_dial_at_a_time_however_long_it_takes) {
  int dials = 0;
  const auto connector = keep(system.spawn(slow_dialer, &dials));
  const auto answer = [&](const std::optional<acceptor_actor>& found) {
    caf::anon_send(connector, proof_atom::value, found);
    run();
  };
  add_peer_dialed_by(a, "b", connector);
  advance(minutes(1));
  EXPECT_FALSE(up(a, "b"));
  ASSERT_EQ(dials, 1);
  answer(std::nullopt);
  EXPECT_EQ(dials, 1) << "it waits a little before the next";
  advance(seconds(1));
  ASSERT_EQ(dials, 2);
  add_peer(b, "a", "");
  answer(between.far(b.acceptor));
  EXPECT_TRUE(both_up());
}

TEST_F(peer_session_test, a_dial_that_is_no_longer_needed_changes_nothing) {
  int dials = 0;
  visits seen;
  const auto connector = keep(system.spawn(slow_dialer, &dials));
  const auto acceptor = keep(system.spawn(slow_door, &seen));
  add_peer_dialed_by(a, "b", connector);
  advance(milliseconds(300));
  add_peer(b, "a", "a");
  advance(milliseconds(1'300));
  ASSERT_TRUE(both_up()) << "b dialed meanwhile";
  between.close();
  run();
  advance(milliseconds(300));
  EXPECT_EQ(dials, 1) << "the dial is still under way";
  advance(seconds(2));
  ASSERT_TRUE(both_up());
  log_capture log;
  caf::anon_send(connector, proof_atom::value, std::optional<acceptor_actor>(acceptor));
  advance(seconds(2));
  EXPECT_EQ(seen.hellos, 0);
  EXPECT_TRUE(both_up());
  EXPECT_EQ(log.text(), "");
  expect_calls_answered();
  between.close();
  run();
  advance(milliseconds(300));
  EXPECT_EQ(dials, 2) << "the next one is made when it is needed";
}

TEST_F(peer_session_test, a_hello_that_is_no_longer_needed_is_not_followed_by_a_proof) {
  int dials = 0;
  visits seen;
  const auto connector = keep(system.spawn(slow_dialer, &dials));
  const auto acceptor = keep(system.spawn(slow_door, &seen));
  add_peer_dialed_by(a, "b", connector);
  caf::anon_send(connector, proof_atom::value, std::optional<acceptor_actor>(acceptor));
  run();
  ASSERT_EQ(seen.hellos, 1);
  add_peer(b, "a", "a", eager());
  ASSERT_TRUE(both_up()) << "b dialed meanwhile";
  log_capture log;
  caf::anon_send(acceptor, reply_atom::value);
  run();
  EXPECT_EQ(seen.proofs, 0);
  EXPECT_EQ(log.text(), "");
  expect_calls_answered();
}

// --- Losing and finding again ------------------------------------------------------------------

TEST_F(peer_session_test, a_silent_peer_is_lost_and_is_there_again_when_it_speaks) {
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

TEST_F(peer_session_test, what_a_short_cut_swallowed_is_sent_again) {
  peer_session_limits quick;
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

TEST_F(peer_session_test, a_connection_that_ends_is_noticed_at_once_and_made_again) {
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

TEST_F(peer_session_test, a_peer_that_starts_again_elsewhere_is_found_and_called_there) {
  connect();
  auto& again = node("b");
  again.here.entities.of<payment_command>() = prompt_payments();
  b.listens = false;
  between.close();
  for (const auto& actor : {caf::actor_cast<caf::actor>(b.peers.at("a")->session),
                            caf::actor_cast<caf::actor>(b.peers.at("a")->rpc_server)})
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

TEST_F(peer_session_test, a_peer_that_is_silent_for_long_is_let_go_of_and_dialed_anew) {
  connect();
  const auto dials = b.dials;
  between.cut = true;
  advance(milliseconds(3'300));
  between.cut = false;
  advance(seconds(3));
  EXPECT_TRUE(both_up());
  EXPECT_GT(b.dials, dials);
  expect_calls_answered();
}

TEST_F(peer_session_test, a_peer_that_starts_again_is_let_in_once_its_old_connection_has_ended) {
  connect();
  auto& again = start_again();
  between.close();
  add_peer(again, "a", "a", eager());
  advance(milliseconds(20));
  EXPECT_TRUE(up(a, "b"));
  EXPECT_TRUE(up(again, "a"));
}

TEST_F(peer_session_test,
       a_peer_that_starts_again_before_its_end_was_noticed_is_let_in_when_it_is) {
  connect();
  auto& again = start_again();
  log_capture log;
  const auto lost = call(a, "b", change(1));
  add_peer(again, "a", "a", eager());
  advance(milliseconds(1'000));
  EXPECT_TRUE(up(a, "b")) << "its old connection stands as far as anybody knows";
  EXPECT_FALSE(up(again, "a"));
  EXPECT_EQ(log.lines_with("event=peer_refused peer=b", "of that name is here already"), 1);
  EXPECT_EQ(log.lines_with("event=peer_not_reached peer=a", "of that name is here already"), 1);
  advance(milliseconds(1'300));
  EXPECT_TRUE(up(a, "b"));
  EXPECT_TRUE(up(again, "a"));
  EXPECT_EQ(call(again, "a", change(2)).word(), "accepted");
  EXPECT_EQ(call(a, "b", change(3)).word(), "accepted");
}

// Two nodes of one name must not replace each other's session in turn, or neither stays up.
TEST_F(peer_session_test, the_second_of_two_nodes_of_one_name_waits_until_the_first_is_gone) {
  add_peer(b, "a", "a", eager());
  add_peer(a, "b", "");
  advance(seconds(1));
  ASSERT_TRUE(both_up());
  log_capture log;
  auto& second = node("b");
  second.here.entities.of<payment_command>() = prompt_payments();
  add_peer(second, "a", "a", eager());
  for (int i = 0; i < 30; ++i) {
    advance(seconds(1));
    ASSERT_TRUE(both_up());
    ASSERT_FALSE(up(second, "a"));
  }
  EXPECT_EQ(log.lines_with("event=peer_lost"), 0) << log.text();
  EXPECT_EQ(log.lines_with("event=peer_refused"), 1) << log.text();
  EXPECT_EQ(log.lines_with("event=peer_not_reached"), 1) << log.text();
  EXPECT_LE(a.dials, 130) << "at a capped rate";
  expect_calls_answered();
  caf::anon_send_exit(b.peers.at("a")->session, caf::exit_reason::kill);
  between.close();
  advance(seconds(1));
  EXPECT_TRUE(up(a, "b"));
  EXPECT_TRUE(up(second, "a"));
}

// --- Leaving -----------------------------------------------------------------------------------

TEST_F(peer_session_test, calls_to_a_leaving_peer_are_held_until_it_is_back) {
  connect();
  log_capture log;
  caf::anon_send(b.peers.at("a")->session, leave_atom::value);
  run();
  EXPECT_FALSE(up(a, "b"));
  EXPECT_EQ(log.lines_with("event=peer_lost peer=b", "leaves"), 1) << log.text();
  const auto waits = call(a, "b", change(1));
  advance(milliseconds(1'000));
  EXPECT_EQ(waits.word(), "waiting");
  EXPECT_EQ(carried_out(), 0);
  EXPECT_FALSE(up(a, "b")) << "it is not taken for there again";
  auto& again = node("b");
  again.here.entities.of<payment_command>() = prompt_payments();
  at_address["b"] = &again;
  add_peer(again, "a", "");
  between.close();
  advance(milliseconds(300));
  EXPECT_EQ(waits.word(), "accepted");
}

TEST_F(peer_session_test, a_leaving_node_ends_its_dial_without_a_hello) {
  int dials = 0;
  visits seen;
  const auto connector = keep(system.spawn(slow_dialer, &dials));
  const auto acceptor = keep(system.spawn(slow_door, &seen));
  add_peer_dialed_by(a, "b", connector);
  ASSERT_EQ(dials, 1);
  caf::anon_send(a.peers.at("b")->session, leave_atom::value);
  caf::anon_send(connector, proof_atom::value, std::optional<acceptor_actor>(acceptor));
  run();
  EXPECT_EQ(seen.hellos, 0);
}

// A restart is quicker than the end of the old connection is noticed.
TEST_F(peer_session_test, a_peer_that_left_is_let_in_anew_while_its_old_connection_stands) {
  connect();
  caf::anon_send(b.peers.at("a")->session, leave_atom::value);
  run();
  auto& again = start_again();
  log_capture log;
  add_peer(again, "a", "a", eager());
  EXPECT_TRUE(up(again, "a"));
  EXPECT_TRUE(up(a, "b"));
  EXPECT_EQ(log.lines_with("event=peer_refused"), 0) << log.text();
  EXPECT_EQ(call(again, "a", change(1)).word(), "accepted");
}

TEST_F(peer_session_test, a_word_of_a_peer_that_left_does_not_bring_it_back) {
  connect();
  const auto& session = b.peers.at("a")->session;
  caf::anon_send(session, leave_atom::value);
  run();
  ASSERT_FALSE(up(a, "b"));
  caf::send_as(between.far(caf::actor_cast<caf::actor>(session)), a.peers.at("b")->session,
               alive_atom::value);
  run();
  EXPECT_FALSE(up(a, "b"));
}

TEST_F(peer_session_test, a_leaving_node_still_answers_what_it_took_and_dials_nobody) {
  connect();
  caf::anon_send(b.peers.at("a")->session, leave_atom::value);
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
