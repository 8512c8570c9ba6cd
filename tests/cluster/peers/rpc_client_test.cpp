// A node's calls to one peer: exactly one answer per call, through every loss of peer or messages.
#include "cluster/peers/rpc_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/peer_calls.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

using numbers = std::vector<entity_id>;

/// A log's stand-in that counts its hints.
event_log_actor::behavior_type counting_log(event_log_actor::pointer, int* hints) {
  return {[](pull_atom, const log_query&) { return event_batch{}; },
          [](follow_atom, const follower_actor&) {}, [=](hint_atom) { ++*hints; }};
}

class rpc_client_test : public actor_fixture {
 protected:
  rpc_client_test() {
    calling = start<rpc_client>("payment");
    peer = new_peer();
    run();
  }

  remote_server_actor new_peer() { return keep(system.spawn(scripted_servant, &calls)); }

  void arrive() {
    caf::anon_send(calling, peer_arrived{{{}, {}, peer}});
    run();
  }

  void lose(milliseconds ago = milliseconds(0)) {
    caf::anon_send(calling, peer_lost{virtual_now() - ago});
    run();
  }

  called call(call_body body) {
    called c;
    caf::anon_send(calling, c.call(std::move(body)));
    run();
    return c;
  }

  void answer_as(const remote_server_actor& who, call_number number, const answer_body& a) {
    caf::send_as(who, calling, reply_atom::value, number, encode(a));
    run();
  }
  void answer(const received_call& c, const answer_body& a = accepted{}) {
    answer_as(peer, c.number, a);
  }

  /// The entities of the calls received by the peer since the last reached().
  numbers reached() {
    numbers ids;
    for (const auto& c : calls) ids.push_back(c.id());
    calls.clear();
    return ids;
  }
  bool all_repeated() const {
    return std::ranges::all_of(calls, [](const auto& c) { return c.repeated(); });
  }

  void follow(service of, int& hints) {
    caf::anon_send(calling, follow_atom::value, of, keep(system.spawn(counting_log, &hints)));
    run();
  }

  void say_grown(const remote_server_actor& who, std::uint8_t of) {
    caf::send_as(who, calling, grown_atom::value, of);
    run();
  }

  rpc_client_actor calling;
  remote_server_actor peer;
  std::vector<received_call> calls;
};

// --- Answers -----------------------------------------------------------------------------------

TEST_F(rpc_client_test, an_answer_reaches_whoever_asked_in_whatever_order_answers_come) {
  arrive();
  const auto first = call(change(1)), second = call(look(2)), third = call(change(3));
  answer(calls.at(2), error{errc::not_found, "there is none"});
  answer(calls.at(0));
  EXPECT_EQ(first.word(), "accepted");
  EXPECT_EQ(second.word(), "waiting");
  EXPECT_EQ(third.word(), "not-found");
  answer(calls.at(1), std::optional<std::string>("{}"));
  EXPECT_EQ(second.word(), "document");
}

TEST_F(rpc_client_test, a_call_is_answered_once_whatever_comes_twice) {
  arrive();
  const auto c = call(change(1));
  answer(calls.at(0));
  answer(calls.at(0), error{errc::not_found, "late"});
  advance(seconds(5));
  EXPECT_EQ(c.word(), "accepted");
}

TEST_F(rpc_client_test, an_answer_behind_its_deadline_goes_nowhere) {
  arrive();
  const auto c = call(look(1));
  advance(milliseconds(2'050));
  answer(calls.at(0), std::optional<std::string>("{}"));
  EXPECT_EQ(c.word(), "service-away");
}

TEST_F(rpc_client_test, a_log_that_follows_twice_gets_each_hint_once) {
  int hints = 0;
  const auto log = keep(system.spawn(counting_log, &hints));
  arrive();
  for (int i = 0; i < 2; ++i) caf::anon_send(calling, follow_atom::value, service::payment, log);
  run();
  hints = 0;
  say_grown(peer, static_cast<std::uint8_t>(service::payment));
  EXPECT_EQ(hints, 1);
}

TEST_F(rpc_client_test, a_log_that_ended_is_forgotten) {
  int hints = 0;
  event_log_actor log = system.spawn(counting_log, &hints);
  const auto ended = caf::actor_cast<caf::weak_actor_ptr>(log);
  caf::anon_send(calling, follow_atom::value, service::payment, log);
  run();
  caf::anon_send_exit(log, caf::exit_reason::kill);
  log = nullptr;
  run();
  EXPECT_FALSE(ended.lock());
}

TEST_F(rpc_client_test, answers_and_hints_of_anybody_but_the_peer_are_ignored) {
  int hints = 0;
  follow(service::payment, hints);
  const auto early = call(change(1));
  answer_as(peer, 1, accepted{});
  EXPECT_EQ(early.word(), "waiting") << "the peer is not recognised yet";
  arrive();
  hints = 0;
  const auto before = peer;
  const auto stranger = new_peer();
  answer_as(stranger, 1, accepted{});
  say_grown(stranger, 1);
  caf::anon_send(calling, reply_atom::value, call_number{1}, encode(answer_body(accepted{})));
  run();
  EXPECT_EQ(early.word(), "waiting");
  EXPECT_EQ(hints, 0);
  peer = new_peer();
  arrive();
  answer_as(before, 1, accepted{});
  EXPECT_EQ(early.word(), "waiting") << "it was the peer once";
  answer_as(peer, 1, accepted{});
  EXPECT_EQ(early.word(), "accepted");
}

// The peer may have carried out the change, so the client must not report the opposite.
TEST_F(rpc_client_test,
       an_answer_that_cannot_be_read_leaves_a_change_unknown_and_is_no_answer_to_a_read) {
  arrive();
  const auto changes = call(change(1)), reads = call(look(1));
  for (const auto& c : calls)
    caf::send_as(peer, calling, reply_atom::value, c.number, std::string("\xff\xff"));
  run();
  EXPECT_EQ(changes.word(), "outcome-unknown");
  EXPECT_EQ(reads.word(), "undecodable");
}

// --- A peer that comes and goes ----------------------------------------------------------------

TEST_F(rpc_client_test, calls_made_before_the_peer_arrived_are_sent_when_it_does) {
  const auto a = call(change(1)), b = call(look(2)), c = call(change(3));
  EXPECT_TRUE(calls.empty());
  advance(milliseconds(500));
  arrive();
  EXPECT_FALSE(calls.at(0).repeated()) << "it was not sent before";
  for (const auto& sent : calls) answer(sent);
  EXPECT_EQ(reached(), (numbers{1, 2, 3}));
  EXPECT_EQ(a.word() + b.word() + c.word(), "acceptedacceptedaccepted");
}

TEST_F(rpc_client_test, what_is_unanswered_is_sent_again_in_order_and_as_a_repeat_after_a_loss) {
  arrive();
  for (entity_id id = 1; id <= 5; ++id) call(change(id));
  answer(calls.at(2));
  EXPECT_EQ(reached(), (numbers{1, 2, 3, 4, 5}));
  lose();
  const auto new_one = call(change(6));
  EXPECT_TRUE(calls.empty());
  advance(milliseconds(100));
  arrive();
  ASSERT_EQ(calls.size(), 5U);
  EXPECT_FALSE(calls.back().repeated());
  calls.pop_back();
  EXPECT_TRUE(all_repeated());
  EXPECT_EQ(reached(), (numbers{1, 2, 4, 5}));
}

TEST_F(rpc_client_test, a_repeat_has_the_number_of_its_first_try) {
  arrive();
  const auto c = call(change(1));
  const auto first = calls.at(0).number;
  lose();
  arrive();
  EXPECT_EQ(calls.at(1).number, first);
  answer(calls.at(0));
  answer(calls.at(1));
  EXPECT_EQ(c.word(), "accepted");
}

TEST_F(rpc_client_test, calls_wait_for_two_seconds_after_a_loss_and_are_then_refused_at_once) {
  arrive();
  lose();
  advance(milliseconds(1'900));
  const auto waits = call(look(1));
  EXPECT_EQ(waits.word(), "waiting");
  advance(milliseconds(130));
  EXPECT_EQ(waits.word(), "service-away");
  EXPECT_EQ(call(look(2)).word(), "service-away");
  EXPECT_EQ(call(change(3)).word(), "service-away");
  arrive();
  EXPECT_TRUE(calls.empty());
  const auto back = call(look(4));
  EXPECT_EQ(reached(), numbers{4});
}

TEST_F(rpc_client_test, the_two_seconds_begin_with_the_peers_last_word_and_not_with_its_discovery) {
  arrive();
  lose(milliseconds(1'500));
  const auto c = call(look(1));
  advance(milliseconds(450));
  EXPECT_EQ(c.word(), "waiting");
  advance(milliseconds(100));
  EXPECT_EQ(c.word(), "service-away");
}

TEST_F(rpc_client_test, a_second_loss_does_not_begin_the_two_seconds_anew) {
  arrive();
  lose();
  advance(milliseconds(1'500));
  lose();
  advance(milliseconds(550));
  EXPECT_EQ(call(look(1)).word(), "service-away");
}

TEST_F(rpc_client_test, a_peer_that_never_came_is_waited_for_as_one_that_was_lost) {
  const auto c = call(look(1));
  advance(milliseconds(1'900));
  EXPECT_EQ(c.word(), "waiting");
  advance(milliseconds(150));
  EXPECT_EQ(c.word(), "service-away");
  EXPECT_EQ(call(look(2)).word(), "service-away");
}

// --- Deadlines and bounds ----------------------------------------------------------------------

TEST_F(rpc_client_test, a_change_without_an_answer_is_unknown_and_a_read_without_one_is_not) {
  arrive();
  const auto changes = call(change(1)), reads = call(look(2));
  advance(call_deadline - milliseconds(5));
  EXPECT_EQ(changes.word(), "waiting");
  EXPECT_EQ(reads.word(), "waiting");
  advance(milliseconds(25));
  EXPECT_EQ(changes.word(), "outcome-unknown");
  EXPECT_EQ(reads.word(), "service-away");
}

TEST_F(rpc_client_test, a_change_that_was_never_sent_certainly_did_not_happen) {
  arrive();
  const auto sent = call(change(1));
  lose();
  const auto kept = call(change(2));
  advance(milliseconds(2'050));
  EXPECT_EQ(sent.word(), "outcome-unknown");
  EXPECT_EQ(kept.word(), "service-away");
}

TEST_F(rpc_client_test, a_repeat_does_not_get_more_time) {
  arrive();
  const auto c = call(change(1));
  advance(milliseconds(1'500));
  lose();
  advance(milliseconds(100));
  arrive();
  advance(milliseconds(450));
  EXPECT_EQ(c.word(), "outcome-unknown");
}

// The call ends before the waiting thread does: only the call can tell "not carried out" from
// "unknown".
TEST_F(rpc_client_test, a_call_is_given_up_before_whoever_waits_for_it_gives_up) {
  EXPECT_LE(checkout_deadline + milliseconds(100), call_deadline)
      << "a rejection is stored meanwhile";
  EXPECT_LE(call_deadline + milliseconds(100), waiting_deadline);
  const auto began = virtual_now();
  const auto never_sent = call(change(1));
  while (never_sent.word() == "waiting" && virtual_now() - began < seconds(5))
    advance(milliseconds(5));
  EXPECT_EQ(never_sent.word(), "service-away");
  EXPECT_LE(virtual_now() - began, call_deadline + milliseconds(30));
}

TEST_F(rpc_client_test, a_call_that_has_less_time_is_given_up_earlier_and_the_others_are_not) {
  arrive();
  const auto whole = call(change(1));
  called brief;
  auto made = brief.call(change(2));
  made.until = virtual_now() + milliseconds(300);
  caf::anon_send(calling, std::move(made));
  const auto behind = call(change(3));
  advance(milliseconds(290));
  EXPECT_EQ(brief.word(), "waiting");
  advance(milliseconds(40));
  EXPECT_EQ(brief.word(), "outcome-unknown");
  EXPECT_EQ(whole.word() + behind.word(), "waitingwaiting");
}

TEST_F(rpc_client_test, calls_over_the_bound_are_refused_at_once) {
  arrive();
  for (entity_id id = 1; id <= 4'096; ++id) caf::anon_send(calling, called().call(look(id)));
  run();
  EXPECT_EQ(call(look(1)).word(), "overloaded");
  answer(calls.at(0));
  EXPECT_EQ(call(look(1)).word(), "waiting");
}

// Losing the peer must not lower the bound on waiting calls, or a restart of the peer loses
// requests.
TEST_F(rpc_client_test, as_many_may_wait_while_the_peer_is_lost_as_otherwise) {
  arrive();
  for (entity_id id = 1; id <= 200; ++id) call(look(id));
  lose();
  for (entity_id id = 201; id <= 400; ++id) EXPECT_EQ(call(look(id)).word(), "waiting");
  reached();
  arrive();
  EXPECT_EQ(reached().size(), 400U);
}

// --- A peer that leaves ------------------------------------------------------------------------

TEST_F(rpc_client_test, what_a_leaving_peer_refuses_waits_for_its_return) {
  arrive();
  const auto c = call(change(1));
  answer(calls.at(0), error{errc::shutting_down, "leaving"});
  EXPECT_EQ(c.word(), "waiting");
  lose();
  peer = new_peer();
  arrive();
  EXPECT_EQ(reached(), (numbers{1, 1}));
  answer_as(peer, 1, accepted{});
  EXPECT_EQ(c.word(), "accepted");
}

// After a refusal by the peer, a sent change is certainly not carried out.
TEST_F(rpc_client_test, what_a_leaving_peer_refused_certainly_did_not_happen) {
  arrive();
  const auto once = call(change(1));
  const auto twice = call(change(2));
  answer(calls.at(0), error{errc::shutting_down, "leaving"});
  lose();
  arrive();
  EXPECT_FALSE(calls.at(2).repeated());
  answer(calls.at(2), error{errc::shutting_down, "leaving"});
  answer(calls.at(3), error{errc::shutting_down, "leaving"});
  advance(milliseconds(2'050));
  EXPECT_EQ(once.word(), "service-away");
  EXPECT_EQ(twice.word(), "outcome-unknown") << "its first try got no answer";
}

// --- Logs --------------------------------------------------------------------------------------

TEST_F(rpc_client_test, a_logs_stand_in_is_told_when_the_log_grows_and_when_the_peer_comes) {
  int payments = 0, orders = 0;
  follow(service::payment, payments);
  follow(service::order, orders);
  EXPECT_EQ(payments, 0);
  arrive();
  EXPECT_EQ(payments, 1);
  EXPECT_EQ(orders, 1);
  say_grown(peer, static_cast<std::uint8_t>(service::payment));
  EXPECT_EQ(payments, 2);
  EXPECT_EQ(orders, 1);
  lose();
  arrive();
  EXPECT_EQ(payments, 3) << "what it was told meanwhile is lost";
  int late = 0;
  follow(service::payment, late);
  EXPECT_EQ(late, 1);
}

TEST_F(rpc_client_test, a_hint_of_a_service_that_there_is_not_is_ignored) {
  int hints = 0;
  follow(service::payment, hints);
  arrive();
  say_grown(peer, 200);
  say_grown(peer, static_cast<std::uint8_t>(service_count));
  EXPECT_EQ(hints, 1);
  EXPECT_EQ(call(look(1)).word(), "waiting") << "it lives";
}

class caller_pull_test : public rpc_client_test {
 protected:
  /// The answer to a pull, or a word for the error.
  template <class Answer>
  std::string pull(Answer then) {
    caf::scoped_actor self{system};
    auto pulled = self->request(calling, caf::infinite, pull_atom::value, service::payment,
                                log_query{7, 3, {"Paid"}});
    run();
    then();
    std::string word;
    pulled.receive([&](const event_batch& b) { word = "next " + std::to_string(b.next); },
                   [&](caf::error&) { word = "error"; });
    return word;
  }
};

TEST_F(caller_pull_test, pulls_through_to_the_peers_log) {
  arrive();
  EXPECT_EQ(pull([&] {
              const auto& asked_of_it = std::get<pull_call>(calls.at(0).body);
              EXPECT_EQ(asked_of_it.of, service::payment);
              EXPECT_EQ(asked_of_it.query.from, 7);
              EXPECT_EQ(asked_of_it.query.limit, 3U);
              EXPECT_EQ(asked_of_it.query.types, std::vector<std::string>{"Paid"});
              answer(calls.at(0), event_batch{{{7, "{}"}}, 8, false});
            }),
            "next 8");
}

// A log of protocol version 3 does not report a fork: a log with an earlier end is another log.
TEST_F(caller_pull_test, a_log_of_version_3_that_ends_before_the_offset_is_a_fork) {
  const remote_server_actor deaf = keep(system.spawn([](remote_server_actor::pointer) {
    return remote_server_actor::behavior_type{[](call_atom, call_number, const std::string&) {}};
  }));
  call_number pulls = 0;
  const auto forked = [&](std::uint32_t protocol, log_offset end, bool said) {
    caf::anon_send(calling, peer_arrived{{{}, {}, deaf}, protocol});
    run();
    caf::scoped_actor self{system};
    auto pulled = self->request(calling, caf::infinite, pull_atom::value, service::payment,
                                log_query{7, 3, {}});
    run();
    event_batch batch;
    batch.end = end;
    batch.forked = said;
    caf::send_as(deaf, calling, reply_atom::value, ++pulls, encode(answer_body(batch), protocol));
    run();
    bool told = false;
    pulled.receive([&](const event_batch& b) { told = b.forked; },
                   [](caf::error&) { ADD_FAILURE(); });
    return told;
  };
  EXPECT_FALSE(forked(3, 6, false)) << "it has all that was read";
  EXPECT_TRUE(forked(3, 5, false));
  EXPECT_TRUE(forked(4, 6, true)) << "a later version says so itself";
  EXPECT_FALSE(forked(4, 5, false));
}

TEST_F(caller_pull_test, a_pull_that_nobody_answers_is_an_error) {
  EXPECT_EQ(pull([&] { advance(milliseconds(2'050)); }), "error");
  arrive();
  EXPECT_EQ(pull([&] { answer(calls.at(0), error{errc::store_failed, "no"}); }), "error");
  EXPECT_EQ(pull([&] { answer(calls.at(1), stored_page{}); }), "error");
}

}  // namespace
}  // namespace skanu
