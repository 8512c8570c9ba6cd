// Nodes recognise each other, and refuse others by name.
#include "tests/support/hellos.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/peer_session_fixture.hpp"

namespace skanu {
namespace {

using admission_test = peer_session_test;

// --- Refused nodes -----------------------------------------------------------------------------

TEST_F(admission_test, a_node_with_another_secret_is_refused_and_both_say_so) {
  log_capture log;
  auto& other = node("c", "another secret");
  other.here.entities.of<payment_command>() = prompt_payments();
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
  EXPECT_EQ(log.lines_with("event=peer_refused"), 2) << "once, not with each try\n" << log.text();
  EXPECT_LE(other.dials, 40) << "at a capped rate";
  EXPECT_EQ(call(a, "c", change(1)).word(), "service-away");
  EXPECT_EQ(carried_out(), 0);
}

/// An acceptor of another protocol version.
acceptor_actor::behavior_type foreign_door(acceptor_actor::pointer) {
  return {[](hello_atom, const std::string&,
             const peer_handles&) -> caf::result<std::string, std::string> {
            const auto other = foreign_hello("b");
            return {encode(other), std::string("?")};
          },
          [](enter_atom, const std::string&,
             const std::string&) -> caf::result<std::string, peer_handles> {
            return {std::string(), peer_handles{}};
          },
          [](proof_atom, const std::string&, const std::string&) { return peer_handles{}; }};
}

/// Keeps the bytes of the received calls.
remote_server_actor::behavior_type raw_servant(remote_server_actor::pointer,
                                               std::vector<std::string>* told) {
  return {[=](call_atom, call_number, const std::string& bytes) { told->push_back(bytes); }};
}

/// An acceptor of the previous version: refuses newer hellos, and proves its identity first.
acceptor_actor::behavior_type older_door(acceptor_actor::pointer, const hello* own,
                                         peer_handles handles) {
  const auto connector = std::make_shared<hello>();
  return {
      [=](hello_atom, const std::string& theirs,
          const peer_handles&) -> caf::result<std::string, std::string> {
        *connector = decode_hello(theirs);
        if (connector->protocol != 3)
          return caf::make_error(caf::sec::runtime_error,
                                 std::string("it speaks protocol 4, this node 3"));
        return {encode(*own), proof_of("secret", proving_side::acceptor, *connector, *own)};
      },
      [](enter_atom, const std::string&,
         const std::string&) -> caf::result<std::string, peer_handles> {
        return caf::make_error(caf::sec::unexpected_message);
      },
      [=](proof_atom, const std::string&, const std::string& proof) -> caf::result<peer_handles> {
        if (is_proof(proof, "secret", proving_side::connector, *connector, *own)) return handles;
        return caf::make_error(caf::sec::runtime_error, std::string("no"));
      }};
}

std::string versions() {
  return "it speaks protocol " + std::to_string(protocol_version + 1) + ", this node " +
         std::to_string(protocol_version);
}

TEST_F(admission_test, a_door_of_another_protocol_version_is_left_alone) {
  log_capture log;
  add_peer(b, "a", "");
  b.acceptor = keep(system.spawn(foreign_door));
  add_peer(a, "b", "b");
  advance(seconds(5));
  EXPECT_FALSE(up(a, "b"));
  EXPECT_EQ(log.lines_with("peer=b", versions()), 1) << log.text();
}

// Operators update a cluster node by node, so a node speaks the previous version's protocol to a
// peer of the previous version.
TEST_F(admission_test, a_door_of_the_version_before_is_spoken_to_in_its_own_protocol) {
  auto own = make_hello("b", 1);
  own.protocol = 3;
  std::vector<std::string> told;
  const auto rpc_server = keep(system.spawn(raw_servant, &told));
  auto& p = add_peer(b, "a", "");
  b.acceptor =
      keep(system.spawn(older_door, &own, peer_handles{p.session, p.rpc_client, rpc_server}));
  add_peer(a, "b", "b");
  advance(seconds(2));
  caf::send_as(caf::actor_cast<caf::actor>(between.far(p.session)),
               caf::actor_cast<caf::actor>(a.peers.at("b")->session), alive_atom::value);
  run();
  ASSERT_TRUE(up(a, "b"));
  call(a, "b", pull_call{service::order, log_query{7, 3, {}, "0123456789abcdef"}});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(std::get<pull_call>(decode_call(told[0], 3)).query.from, 7);
}

TEST_F(admission_test, a_node_of_another_cluster_is_refused_and_both_say_so) {
  log_capture log;
  auto& other = node("c");
  other.identity.in = std::make_shared<membership>("cluster-2");
  a.identity.in = std::make_shared<membership>("cluster-1");
  reopen(a);
  reopen(other);
  add_peer(other, "a", "a");
  add_peer(a, "c", "c");
  advance(seconds(10));
  EXPECT_FALSE(up(a, "c"));
  EXPECT_FALSE(up(other, "a"));
  for (const auto* peer : {"peer=a", "peer=c"}) {
    EXPECT_GE(log.lines_with("event=peer_refused", peer, "another cluster (cluster-"), 1) << peer;
    EXPECT_EQ(log.lines_with("event=peer_not_reached", peer, "another cluster (cluster-"), 1)
        << peer << log.text();
  }
}

TEST_F(admission_test, a_node_without_a_cluster_joins_that_of_its_first_peer) {
  std::vector<std::string> kept;
  entity_id heard = 0;
  a.identity.in = std::make_shared<membership>(
      "", membership_functions{
              .keep = [&](const std::string& c) { kept.push_back(c); },
              .heard = [&](const std::string&, const order_knowledge& k) { heard = k.last_id; }});
  b.identity.in = std::make_shared<membership>(
      "cluster-1", membership_functions{.orders = [] { return order_knowledge{42}; }});
  reopen(a);
  reopen(b);
  connect();
  EXPECT_TRUE(both_up());
  EXPECT_EQ(kept, std::vector<std::string>{"cluster-1"});
  EXPECT_EQ(heard, 42);
  EXPECT_FALSE(a.identity.in->admits("cluster-2"));
}

// Each node expires operations by its own clock, and an operator compares the times of several
// nodes: the log must report a deviating clock.
TEST_F(admission_test, a_peer_whose_clock_differs_is_said_once_and_so_is_its_return) {
  log_capture log;
  auto ahead = std::make_shared<std::chrono::milliseconds>(2'500);
  const auto base = instant(std::chrono::milliseconds(1'700'000'000'000));
  a.identity.wall_clock = [=] { return base; };
  b.identity.wall_clock = [=] { return base + *ahead; };
  connect();
  advance(seconds(2));
  EXPECT_EQ(log.lines_with("event=clock_differs"), 0) << "what was on its way for long looks old";
  advance(seconds(10));
  EXPECT_EQ(log.lines_with("event=clock_differs", "peer=b", "ahead_ms=2500"), 1) << log.text();
  EXPECT_EQ(log.lines_with("event=clock_differs", "peer=a", "ahead_ms=-2500"), 1);
  EXPECT_EQ(a.peers.at("b")->status->clock_offset_ms, 2'500);
  *ahead = std::chrono::milliseconds(2'000);
  advance(seconds(2));
  EXPECT_EQ(log.lines_with("event=clock_agrees"), 2);
}

/// A connector with arbitrary messages.
class odd_dialer {
 public:
  odd_dialer(caf::actor_system& system, remote_session_actor session, std::function<void()> run)
      : system_(system), session_(std::move(session)), run_(std::move(run)) {}

  /// Sends a hello. Returns "welcome", or the reason of the refusal.
  std::string greet(const acceptor_actor& acceptor, const std::string& bytes) {
    caf::scoped_actor self{system_};
    auto greeted = self->request(acceptor, caf::infinite, hello_atom::value, bytes,
                                 peer_handles{session_, {}, {}});
    run_();
    std::string why = "welcome";
    greeted.receive(
        [&](const std::string& theirs, const std::string& proof) {
          acceptors = decode_hello(theirs);
          doors_proof = proof;
        },
        [&](caf::error& e) { why = system_.render(e); });
    return why;
  }
  /// Sends a proof. Returns "welcome", or the reason of the refusal.
  std::string prove(const acceptor_actor& acceptor, const std::string& proof) {
    caf::scoped_actor self{system_};
    auto proved = self->request(acceptor, caf::infinite, proof_atom::value, acceptors.nonce, proof);
    run_();
    std::string why = "welcome";
    proved.receive([&](const peer_handles& p) { welcome = p; },
                   [&](caf::error& e) { why = system_.render(e); });
    return why;
  }

  hello acceptors;          ///< The acceptor's last hello.
  std::string doors_proof;  ///< The acceptor's last proof.
  peer_handles welcome;     ///< The handles returned for the last proof.

 private:
  caf::actor_system& system_;
  remote_session_actor session_;
  std::function<void()> run_;
};

class odd_dialer_test : public peer_session_test {
 protected:
  received_answers ignored;
  remote_session_actor own_link =
      caf::actor_cast<remote_session_actor>(keep(system.spawn(scripted_caller, &ignored)));
  odd_dialer connector{system, own_link, [this] { run(); }};

  /// Does a complete, correct handshake.
  std::string come_as(const hello& own) {
    if (const auto why = connector.greet(a.acceptor, encode(own)); why != "welcome") return why;
    return connector.prove(a.acceptor,
                           proof_of("secret", proving_side::connector, own, connector.acceptors));
  }
  bool speak() {
    caf::send_as(caf::actor_cast<caf::actor>(own_link),
                 caf::actor_cast<caf::actor>(a.peers.at("b")->session), alive_atom::value);
    run();
    return up(a, "b");
  }
};

// The connector proves itself first: otherwise a stranger could collect proofs over hellos of its
// own choice, and try secrets on the proofs at leisure.
TEST_F(odd_dialer_test, gets_no_proof_before_its_own) {
  add_peer(a, "b", "");
  ASSERT_EQ(connector.greet(a.acceptor, encode(make_hello("b", 1))), "welcome");
  EXPECT_EQ(connector.doors_proof, "");
}

TEST_F(odd_dialer_test, of_version_4_gets_no_proof_before_its_own_either) {
  add_peer(a, "b", "");
  auto own = make_hello("b", 1);
  own.protocol = 4;
  ASSERT_EQ(connector.greet(a.acceptor, encode(own)), "welcome");
  EXPECT_EQ(connector.acceptors.protocol, 4U);
  EXPECT_EQ(connector.doors_proof, "");
}

TEST_F(odd_dialer_test, that_refuses_the_certificate_is_heard) {
  log_capture log;
  add_peer(a, "b", "");
  ASSERT_EQ(connector.greet(a.acceptor, encode(make_hello("b", 1))), "welcome");
  EXPECT_NE(connector.prove(a.acceptor, std::string(certificate_refused)), "welcome");
  EXPECT_EQ(log.lines_with("event=peer_refused peer=b", "our certificate"), 1) << log.text();
}

TEST_F(odd_dialer_test, of_the_version_before_is_let_in_as_that_expects) {
  add_peer(a, "b", "");
  auto own = make_hello("b", 1);
  own.protocol = 3;
  EXPECT_EQ(come_as(own), "welcome");
  EXPECT_EQ(connector.acceptors.protocol, 3U);
  EXPECT_TRUE(
      is_proof(connector.doors_proof, "secret", proving_side::acceptor, own, connector.acceptors));
  EXPECT_TRUE(speak());
}

TEST_F(odd_dialer_test, of_another_protocol_version_is_refused) {
  log_capture log;
  add_peer(a, "b", "");
  const auto greet = [&](const hello& own) { return connector.greet(a.acceptor, encode(own)); };
  const auto other = foreign_hello("b");
  EXPECT_NE(greet(other).find(versions()), std::string::npos);
  EXPECT_EQ(log.lines_with("event=peer_refused", versions()), 1);
  EXPECT_NE(connector.greet(a.acceptor, "\x01").find("cannot be read"), std::string::npos);
  EXPECT_NE(greet(make_hello("a b\n", 1)).find("name"), std::string::npos);
  EXPECT_NE(greet(make_hello("a", 1)).find("own name"), std::string::npos);
  EXPECT_NE(come_as(make_hello("x", 1)).find("too many"), std::string::npos);
  EXPECT_EQ(log.text().find("a b"), std::string::npos) << "what a stranger says is not logged";
  EXPECT_EQ(greet(make_hello("b", 1)), "welcome");
  EXPECT_FALSE(speak()) << "a hello proves nothing";
}

TEST_F(odd_dialer_test, its_proof_is_good_for_its_own_hello_only) {
  add_peer(a, "b", "");
  const auto own = make_hello("b", 7);
  const auto greet = [&] { ASSERT_EQ(connector.greet(a.acceptor, encode(own)), "welcome"); };
  const auto proof = [&](proving_side by) {
    return proof_of("secret", by, own, connector.acceptors);
  };
  greet();
  const auto last = proof(proving_side::connector);
  greet();
  EXPECT_NE(connector.prove(a.acceptor, last), "welcome") << "of the last handshake";
  greet();
  EXPECT_NE(connector.prove(a.acceptor, proof(proving_side::acceptor)), "welcome")
      << "the door's own";
  EXPECT_NE(connector.prove(a.acceptor, proof(proving_side::connector)), "welcome")
      << "one try each";
  EXPECT_FALSE(speak());
  greet();
  EXPECT_EQ(connector.prove(a.acceptor, proof(proving_side::connector)), "welcome");
  EXPECT_TRUE(speak());
}

TEST_F(odd_dialer_test, its_hello_is_good_for_a_second_only) {
  add_peer(a, "b", "");
  const auto own = make_hello("b", 7);
  for (const int age : {900, 1'100}) {
    ASSERT_EQ(connector.greet(a.acceptor, encode(own)), "welcome");
    advance(milliseconds(age));
    EXPECT_EQ(connector.prove(a.acceptor, proof_of("secret", proving_side::connector, own,
                                                   connector.acceptors)) == "welcome",
              age < 1'000);
  }
}

TEST_F(odd_dialer_test, as_many_hellos_as_are_kept_push_out_the_oldest) {
  add_peer(a, "b", "");
  const auto own = make_hello("b", 7);
  ASSERT_EQ(connector.greet(a.acceptor, encode(own)), "welcome");
  const auto first = connector.acceptors;
  for (std::size_t i = 0; i < acceptor::most_unproved; ++i)
    ASSERT_EQ(connector.greet(a.acceptor, encode(make_hello("x" + std::to_string(i), 1))),
              "welcome");
  connector.acceptors = first;
  EXPECT_NE(connector.prove(a.acceptor, proof_of("secret", proving_side::connector, own, first)),
            "welcome");
}

// A hello without a proof must not take a place, or strangers could occupy their 64 places forever.
TEST_F(odd_dialer_test, nothing_is_made_for_a_stranger_before_its_proof) {
  int made = 0;
  const auto strict =
      keep(system.spawn<acceptor>(a.identity, [&](const hello&) -> std::optional<peer_side> {
        ++made;
        return std::nullopt;
      }));
  for (int i = 0; i < 1'000; ++i)
    ASSERT_EQ(connector.greet(strict, encode(make_hello("x" + std::to_string(i), 1))), "welcome");
  EXPECT_NE(connector.prove(strict, "a guess"), "welcome");
  EXPECT_EQ(made, 0);
  EXPECT_NE(come_as(make_hello("b", 1)).find("too many"), std::string::npos);
  add_peer(a, "b", "");
  EXPECT_EQ(come_as(make_hello("b", 1)), "welcome") << "junk keeps nobody out";
}

TEST_F(odd_dialer_test, that_never_speaks_is_let_go_of) {
  add_peer(a, "b", "");
  EXPECT_EQ(come_as(make_hello("b", 1)), "welcome");
  advance(milliseconds(3'300));
  EXPECT_FALSE(speak());
  EXPECT_EQ(come_as(make_hello("b", 1)), "welcome");
  EXPECT_TRUE(speak());
}

// A connector must not prove itself to a node of another name: otherwise the other node would take
// the connector for its peer and give up the right connection.
TEST_F(admission_test, another_node_at_a_peers_address_is_left_alone_and_loses_nothing) {
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

TEST_F(admission_test, a_strangers_word_counts_for_nothing) {
  connect();
  const auto session = caf::actor_cast<caf::actor>(a.peers.at("b")->session);
  received_answers ignored;
  const auto stranger = keep(system.spawn(scripted_caller, &ignored));
  const auto say = [&](auto... what) {
    caf::send_as(caf::actor_cast<caf::actor>(stranger), session, what...);
    caf::anon_send(session, what...);
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
}

}  // namespace
}  // namespace skanu
