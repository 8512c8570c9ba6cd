// Calls of peers: the node carries out each call once, and answers the calling peer.
#include "tests/cluster/peers/rpc_server_fixture.hpp"

namespace skanu {
namespace {

checkout_actor::behavior_type scripted_checkout(checkout_actor::pointer,
                                                std::vector<command_context>* asked_of_it) {
  return {[=](const place_order& order, command_context& r) {
            EXPECT_EQ(order.details, coffee);
            EXPECT_EQ(order.phone_number, "01012341234");
            asked_of_it->push_back(std::move(r));
          },
          [](const known_ids&) {}, [](leave_atom) { return true; }};
}

// --- Commands ----------------------------------------------------------------------------------

TEST_F(rpc_server_test, a_command_reaches_its_entity_with_all_its_terms) {
  serve();
  command_context terms;
  terms.operation = client_operation(9);
  terms.fingerprint = 77;
  terms.maybe_repeated = true;
  terms.condition = version_condition{false, {3, 4}};
  call(5, command_call<payment_command>{42, open_payment{coffee, "01012341234"}, terms});
  ASSERT_EQ(questions.size(), 1U);
  const auto& q = questions.front();
  EXPECT_EQ(q.id, 42);
  EXPECT_EQ(std::get<open_payment>(q.what).details, coffee);
  EXPECT_EQ(q.how.operation, terms.operation);
  EXPECT_EQ(q.how.fingerprint, 77U);
  EXPECT_TRUE(q.how.maybe_repeated);
  EXPECT_EQ(q.how.condition->versions, (std::vector<version_number>{3, 4}));
  EXPECT_FALSE(q.how.answer_when_queued) << "the other node has another journal";
  EXPECT_TRUE(told[0].answers.empty());
}

TEST_F(rpc_server_test, answers_go_back_under_the_numbers_of_their_calls) {
  serve();
  call(5, change(42));
  call(6, change(43));
  decide(1, error{errc::not_found, "there is none"});
  const auto document = std::make_shared<const std::string>("{\"v\":1}");
  decide(0, accepted{effect::changed, 42, 3, document});
  EXPECT_EQ(told[0].words(), "6 not-found, 5 accepted");
  const auto& done = std::get<accepted>(told[0].answers.at(1).second);
  EXPECT_EQ(done.what, effect::changed);
  EXPECT_EQ(done.id, 42);
  EXPECT_EQ(done.version, 3);
  EXPECT_EQ(*done.document, *document);
}

TEST_F(rpc_server_test, an_order_goes_to_checkout) {
  std::vector<command_context> placed;
  here.checkout = keep(system.spawn(scripted_checkout, &placed));
  serve();
  place_call placing{{coffee, "01012341234"}, {}};
  placing.with.operation = client_operation(1);
  placing.with.fingerprint = 5;
  call(1, placing);
  ASSERT_EQ(placed.size(), 1U);
  EXPECT_EQ(placed[0].operation, client_operation(1));
  placed[0].answer(accepted{effect::created, 1, 1, nullptr});
  placed.clear();
  run();
  EXPECT_EQ(told[0].words(), "1 accepted");
}

TEST_F(rpc_server_test, answers_when_the_commit_is_durable_and_not_before) {
  here.entities.of<payment_command>() =
      start<region<payment_rules>>(env(service::payment), region_limits{});
  serve();
  call(1, command_call<payment_command>{42, open_payment{coffee, {}}, {}});
  EXPECT_EQ(told[0].words(), "");
  settle();
  EXPECT_EQ(told[0].words(), "1 accepted");
  EXPECT_EQ(stored_state<payment_state>(service::payment, 42).status, payment_status::not_paid);
}

TEST_F(rpc_server_test, a_repeat_of_what_is_under_way_is_carried_out_once_and_answered) {
  serve();
  call(5, change(42));
  call(5, change(42));
  EXPECT_EQ(questions.size(), 1U);
  decide(0, accepted{});
  EXPECT_EQ(told[0].words(), "5 accepted");
}

TEST_F(rpc_server_test, a_repeat_of_what_was_answered_is_carried_out_as_a_repeat) {
  serve();
  call(5, change(42));
  decide(0, accepted{});
  call_body again = change(42);
  mark_repeated(again);
  call(5, again);
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_TRUE(questions[1].how.maybe_repeated);
  decide(1, accepted{});
  EXPECT_EQ(told[0].words(), "5 accepted, 5 accepted");
}

// --- Permitted callers -------------------------------------------------------------------------

TEST_F(rpc_server_test, calls_of_strangers_are_ignored) {
  serving = start<rpc_server>(here);
  call(1, change(42));
  EXPECT_TRUE(questions.empty()) << "nobody is recognised yet";
  arrive(peers[0]);
  call_as(peers[1], 1, change(42));
  caf::anon_send(serving, call_atom::value, call_number{1}, encode(change(42)));
  run();
  EXPECT_TRUE(questions.empty());
  arrive(peers[1]);
  call_as(peers[0], 1, change(42));
  EXPECT_TRUE(questions.empty()) << "it was the peer once";
  EXPECT_EQ(told[0].words() + told[1].words(), "");
}

TEST_F(rpc_server_test, a_new_run_of_the_peer_gets_no_answers_of_the_last_ones_calls) {
  serve();
  call(5, change(42));
  arrive(peers[1]);
  call_as(peers[1], 5, change(43));
  ASSERT_EQ(questions.size(), 2U) << "the number is another call's now";
  decide(0, error{errc::not_found, "of the old one"});
  EXPECT_EQ(told[0].words() + told[1].words(), "");
  decide(1, accepted{effect::changed, 43, 1, nullptr});
  EXPECT_EQ(told[1].words(), "5 accepted");
}

// A batch pulled by the peer's last run must not answer the new run's call of the same number, or
// the new run skips events.
TEST_F(rpc_server_test, a_new_run_of_the_peer_gets_no_batch_that_the_last_one_pulled) {
  use_log();
  serve();
  call(5, pull_call{service::payment, {1, 10, {}}});
  arrive(peers[1]);
  call_as(peers[1], 5, pull_call{service::payment, {8, 10, {}}});
  ASSERT_EQ(pulls.size(), 2U);
  answer_pull();
  EXPECT_EQ(told[1].words(), "");
  answer_pull();
  ASSERT_EQ(told[1].words(), "5 events");
  EXPECT_EQ(std::get<event_batch>(told[1].answers[0].second).next, 8);
}

TEST_F(rpc_server_test, the_same_run_of_the_peer_gets_its_answers_after_it_came_back) {
  serve();
  call(5, change(42));
  arrive(peers[0]);
  call(5, change(42));
  EXPECT_EQ(questions.size(), 1U);
  decide(0, accepted{});
  EXPECT_EQ(told[0].words(), "5 accepted");
}

// --- Calls that fail ---------------------------------------------------------------------------

TEST_F(rpc_server_test, a_service_that_does_not_run_here_is_away) {
  here = {};
  serve();
  call(1, place_call{});
  call(2, command_call<order_command>{1, cancel_order{}, {}});
  call(3, change(1));
  call(4, command_call<delivery_command>{1, cancel_delivery{}, {}});
  call(5, command_call<stamp_command>{1, add_stamps{1}, {}});
  call(6, pull_call{});
  call(7, look(1));
  call(8, page_call{});
  call(9, rows_page_call{});
  call(10, breaker_call{});
  ASSERT_EQ(told[0].answers.size(), 10U);
  for (const auto& [number, a] : told[0].answers) EXPECT_EQ(word_for(a), "service-away") << number;
}

TEST_F(rpc_server_test, a_call_that_cannot_be_read_is_refused_and_the_next_one_served) {
  serve();
  call_bytes(peers[0], 1, "");
  call_bytes(peers[0], 2, "\x7f");
  call_bytes(peers[0], 3, encode(change(42)) + "x");
  call(4, change(42));
  EXPECT_EQ(told[0].words(), "1 service-away, 2 service-away, 3 service-away");
  EXPECT_EQ(questions.size(), 1U);
}

TEST_F(rpc_server_test, too_many_calls_are_refused_at_once) {
  serve();
  for (call_number n = 1; n <= rpc_server::most_calls; ++n)
    caf::send_as(peers[0], serving, call_atom::value, n, encode(change(42)));
  run();
  EXPECT_EQ(told[0].words(), "");
  call(9'000, change(42));
  EXPECT_EQ(told[0].words(), "9000 overloaded");
  decide(0, accepted{});
  call(9'001, change(42));
  EXPECT_EQ(told[0].words(), "9000 overloaded, 1 accepted");
}

// --- Leaving -----------------------------------------------------------------------------------

TEST_F(rpc_server_test, calls_whose_answers_are_lost_take_no_place_for_ever) {
  serve();
  for (call_number n = 1; n <= rpc_server::most_calls; ++n)
    caf::send_as(peers[0], serving, call_atom::value, n, encode(change(42)));
  run();
  for (const auto& q : questions) q.how.answer.lose();
  advance(rpc_server::longest + milliseconds(1));
  call(9'000, change(42));
  EXPECT_EQ(told[0].words(), "");
  decide(rpc_server::most_calls, accepted{});
  EXPECT_EQ(told[0].words(), "9000 accepted");
  call(1, change(42));
  ASSERT_EQ(questions.size(), rpc_server::most_calls + 2) << "a repeat is carried out";
  decide(rpc_server::most_calls + 1, accepted{});
  leave();
  EXPECT_TRUE(has_left());
}

TEST_F(rpc_server_test, leaves_at_once_where_nothing_is_under_way) {
  serve();
  leave();
  EXPECT_TRUE(has_left());
}

TEST_F(rpc_server_test, a_leaving_node_refuses_what_is_new_and_finishes_what_it_took) {
  serve();
  call(1, change(41));
  call(2, change(42));
  leave();
  call(3, change(43));
  EXPECT_EQ(told[0].words(), "3 shutting-down");
  EXPECT_EQ(questions.size(), 2U);
  EXPECT_FALSE(has_left());
  decide(1, accepted{});
  EXPECT_FALSE(has_left());
  decide(0, accepted{});
  EXPECT_TRUE(has_left());
  EXPECT_EQ(told[0].words(), "3 shutting-down, 2 accepted, 1 accepted");
}

TEST_F(rpc_server_test, a_leaving_node_finishes_its_reads) {
  hold_reads();
  serve();
  call(1, look(1));
  leave();
  EXPECT_FALSE(has_left());
  answer_read("{}");
  EXPECT_TRUE(has_left());
  EXPECT_EQ(told[0].words(), "1 document");
}

// Calls of a peer's last run have no receiver, so leaving does not wait for their answers.
TEST_F(rpc_server_test, a_leaving_node_does_not_wait_for_calls_of_a_peer_that_is_no_more) {
  serve();
  call(1, change(41));
  leave();
  EXPECT_FALSE(has_left());
  arrive(peers[1]);
  EXPECT_TRUE(has_left());
}

}  // namespace
}  // namespace skanu
