// A session that dials acceptors with unusual answers, and its dials after a loss.
#include "tests/support/hellos.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/peer_session_fixture.hpp"

namespace skanu {
namespace {

/// The answers of an acceptor, and the hellos and proofs given to the acceptor.
struct script {
  hello own = make_hello("b", 7);
  std::string secret = "secret";
  std::string refusal;  ///< Reason for every hello; empty: the acceptor greets.
  peer_handles handles;
  std::vector<std::uint32_t> spoken;  ///< Versions of the hellos.
  std::vector<std::string> proofs;
  std::string connectors;
};

acceptor_actor::behavior_type scripted_door(acceptor_actor::pointer, script* s) {
  const auto proof = [s] {
    return proof_of(s->secret, proving_side::acceptor, s->connectors, encode(s->own));
  };
  return {[=](hello_atom, const std::string& theirs,
              const peer_handles&) -> caf::result<std::string, std::string> {
            s->spoken.push_back(decode_hello(theirs).protocol);
            s->connectors = theirs;
            if (!s->refusal.empty()) return caf::make_error(caf::sec::runtime_error, s->refusal);
            return {encode(s->own), s->own.protocol < 4 ? proof() : std::string()};
          },
          [=](enter_atom, const std::string&,
              const std::string& given) -> caf::result<std::string, peer_handles> {
            s->proofs.push_back(given);
            return {proof(), s->handles};
          },
          [=](proof_atom, const std::string&, const std::string& given) {
            s->proofs.push_back(given);
            return s->handles;
          }};
}

class strange_doors_test : public peer_session_test {
 protected:
  strange_doors_test() {
    auto& p = add_peer(b, "a", "");
    door.handles = {p.session, p.rpc_client, p.rpc_server};
    b.acceptor = keep(system.spawn(scripted_door, &door));
  }

  /// Lets a dial the door; true where a takes b's word for that of its peer afterwards.
  bool is_let_in() {
    add_peer(a, "b", "b");
    advance(milliseconds(300));
    caf::send_as(caf::actor_cast<caf::actor>(between.far(door.handles.session)),
                 caf::actor_cast<caf::actor>(a.peers.at("b")->session), alive_atom::value);
    run();
    return up(a, "b");
  }

  script door;
  log_capture log;
};

TEST_F(strange_doors_test, one_with_the_right_proof_is_taken) {
  EXPECT_TRUE(is_let_in()) << log.text();
  EXPECT_EQ(door.proofs.size(), 1U);
}

TEST_F(strange_doors_test, one_that_lets_in_without_the_secret_is_left_alone) {
  door.secret = "another secret";
  EXPECT_FALSE(is_let_in());
  EXPECT_EQ(log.lines_with("event=peer_not_reached peer=b", "another cluster's secret"), 1)
      << log.text();
}

TEST_F(strange_doors_test, one_of_version_3_without_the_secret_is_given_no_proof) {
  door.secret = "another secret";
  door.own.protocol = 3;
  EXPECT_FALSE(is_let_in());
  EXPECT_EQ(log.lines_with("event=peer_not_reached peer=b", "another cluster's secret"), 1)
      << log.text();
  ASSERT_FALSE(door.proofs.empty()) << "it can log the refusal";
  for (const auto& given : door.proofs) EXPECT_EQ(given, "");
}

TEST_F(strange_doors_test, one_of_another_cluster_is_left_alone) {
  a.identity.in = std::make_shared<membership>("cluster-1");
  door.own.cluster = "cluster-2";
  EXPECT_FALSE(is_let_in());
  EXPECT_EQ(log.lines_with("event=peer_not_reached peer=b", "another cluster (cluster-2"), 1)
      << log.text();
}

TEST_F(strange_doors_test, one_of_a_version_too_old_is_said_to_be) {
  door.own.protocol = oldest_protocol_version - 1;
  EXPECT_FALSE(is_let_in());
  EXPECT_EQ(log.lines_with("event=peer_not_reached peer=b", "it speaks protocol 2"), 1)
      << log.text();
}

TEST_F(strange_doors_test, one_that_knows_no_version_is_spoken_to_in_those_that_there_are) {
  door.refusal = "it speaks protocol 9, this node 8";
  EXPECT_FALSE(is_let_in());
  advance(seconds(10));
  EXPECT_GT(door.spoken.size(), 2 * (protocol_version - oldest_protocol_version));
  for (const auto version : door.spoken) {
    EXPECT_GE(version, oldest_protocol_version);
    EXPECT_LE(version, protocol_version);
  }
}

// A reason stands between quotes in the log, and the other side has proved nothing.
TEST_F(strange_doors_test, a_reason_ends_no_value_of_a_log_line) {
  door.refusal = "no\" event=order_placed x=\"\n";
  EXPECT_FALSE(is_let_in());
  EXPECT_EQ(log.lines_with("reason=\"it refused us: ", "no? event=order_placed x=??"), 1)
      << log.text();
}

TEST_F(strange_doors_test, both_sides_are_told_which_node_proved_itself) {
  std::vector<std::string> proved;
  entity_id heard = 0;
  auto& dialing = node("c");
  auto& answering = node("d");
  answering.identity.in = std::make_shared<membership>(
      "", membership_functions{
              .heard = [&](const std::string&, const order_knowledge& k) { heard = k.last_id; }});
  dialing.identity.in = std::make_shared<membership>(
      "", membership_functions{.orders = [] { return order_knowledge{42}; }});
  dialing.identity.on_proved = [&](const std::string& name, const hello& said) {
    proved.push_back("c met " + name + " " + said.name);
  };
  answering.identity.on_proved = [&](const std::string& name, const hello& said) {
    proved.push_back("d met " + name + " " + said.name);
  };
  reopen(answering);
  add_peer(answering, "c", "");
  add_peer(dialing, "d", "d");
  advance(milliseconds(300));
  ASSERT_TRUE(up(dialing, "d"));
  EXPECT_EQ(proved, (std::vector<std::string>{"d met c c", "c met d d"}));
  EXPECT_EQ(heard, 42) << "the side that answered";
}

// --- After a loss ------------------------------------------------------------------------------

TEST_F(peer_session_test, a_first_dial_after_a_loss_is_made_at_once_however_many_failed_before) {
  b.listens = false;
  add_peer(b, "a", "");
  add_peer(a, "b", "b");
  advance(seconds(30));
  b.listens = true;
  advance(seconds(1));
  ASSERT_TRUE(up(a, "b"));
  b.listens = false;
  between.close();
  run();
  advance(milliseconds(210));
  b.listens = true;
  advance(milliseconds(350));
  EXPECT_TRUE(up(a, "b")) << "the pauses between dials are short again";
}

TEST_F(peer_session_test, the_reason_of_a_failed_dial_is_said_again_after_a_connection) {
  add_peer(b, "a", "");
  log_capture log;
  b.listens = false;
  add_peer(a, "b", "b");
  advance(seconds(3));
  for (int times = 1; times <= 2; ++times) {
    EXPECT_EQ(log.lines_with("event=peer_not_reached peer=b"), times) << log.text();
    b.listens = true;
    advance(seconds(1));
    ASSERT_TRUE(up(a, "b"));
    b.listens = false;
    between.close();
    advance(seconds(3));
  }
}

TEST_F(peer_session_test, the_second_by_name_leaves_the_first_dial_after_a_loss_to_the_other) {
  connect();
  b.listens = false;  // what a would dial
  const auto dials = a.dials;
  between.close();
  run();
  advance(milliseconds(900));
  EXPECT_EQ(a.dials, dials);
  advance(milliseconds(400));
  EXPECT_GT(a.dials, dials);
}

TEST_F(peer_session_test, says_since_when_a_peer_is_away) {
  connect();
  between.close();
  const auto since = virtual_now();
  run();
  ASSERT_FALSE(up(a, "b"));
  EXPECT_EQ(a.peers.at("b")->status->away_since.load(), since);
}

TEST_F(peer_session_test, a_silent_peers_calls_are_refused_two_seconds_after_its_last_word) {
  connect();
  between.cut = true;
  advance(milliseconds(1'800));
  ASSERT_TRUE(both_down());
  advance(milliseconds(450));
  EXPECT_EQ(call(a, "b", change(1)).word(), "service-away") << "at once";
}

TEST_F(peer_session_test, a_node_without_databases_forgets_its_cluster_with_its_last_peer) {
  a.identity.in = std::make_shared<membership>("", membership_functions{.has_databases = false});
  b.identity.in = std::make_shared<membership>("cluster-1");
  reopen(a);
  reopen(b);
  connect();
  ASSERT_EQ(a.identity.in->cluster(), "cluster-1");
  b.listens = a.listens = false;
  between.close();
  run();
  EXPECT_EQ(a.identity.in->cluster(), "");
}

}  // namespace
}  // namespace skanu
