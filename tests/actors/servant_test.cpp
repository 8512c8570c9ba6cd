// What a peer asks of this node: carried out once, and answered to the peer that asked.
#include "cluster/servant.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "actors/event_log.hpp"
#include "persistence/document.hpp"
#include "tests/support/peer_calls.hpp"
#include "tests/support/placement_fixture.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

const order_details two_coffees{7, "Coffee", 2, 9'000, "card"};

/// Pulls that wait for their answer, with where they read from.
using waiting_pulls =
    std::deque<std::pair<caf::typed_response_promise<event_batch>, log_offset>>;

/// A log that answers the oldest pull when it is hinted to.
event_log_actor::behavior_type scripted_event_log(event_log_actor::pointer self,
                                                  waiting_pulls* pulls,
                                                  follower_actor* follower) {
  return {[=](pull_atom, const log_query& query) {
            pulls->emplace_back(self->make_response_promise<event_batch>(), query.from);
            return pulls->back().first;
          },
          [=](follow_atom, const follower_actor& f) { *follower = f; },
          [=](hint_atom) {
            pulls->front().first.deliver(event_batch{{}, pulls->front().second, false});
            pulls->pop_front();
          }};
}

placement_actor::behavior_type scripted_placement(placement_actor::pointer,
                                                  std::vector<request>* asked_of_it) {
  return {[=](const place_order& order, request& r) {
            EXPECT_EQ(order.details, two_coffees);
            EXPECT_EQ(order.phone_number, "01012341234");
            asked_of_it->push_back(std::move(r));
          },
          [](const answered&) {}, [](sweep_atom) {}, [](leave_atom) { return true; }};
}

class servant_test : public actor_fixture {
 protected:
  servant_test() {
    here.payments = keep(system.spawn(scripted_payment, &questions));
    for (auto& p : peers) p = keep(system.spawn(scripted_caller, &told[&p - peers]));
  }

  ~servant_test() override {
    questions.clear();  // which answers them
    run();
    pulls.clear();
    follower = nullptr;
  }

  /// The servant, with one peer.
  void serve() {
    serving = start<servant>(here);
    arrive(peers[0]);
  }

  void arrive(const peer_caller_actor& p) {
    caf::anon_send(serving, peer_arrived{{{}, p, {}}});
    run();
  }

  void call(call_number number, const call_body& body) { call_as(peers[0], number, body); }
  void call_as(const peer_caller_actor& p, call_number number, const call_body& body) {
    call_bytes(p, number, encode(body));
  }
  void call_bytes(const peer_caller_actor& p, call_number number, const std::string& bytes) {
    caf::send_as(p, serving, call_atom::value, number, bytes);
    run();
  }

  void decide(std::size_t question, outcome result) {
    questions.at(question).how.answer(std::move(result));
    run();
  }

  /// Asks it to leave; it answers in `left`.
  void leave() {
    leaving.emplace(system);
    asked_to_leave.emplace(
        (*leaving)->request(serving, caf::infinite, leave_atom::value));
    run();
  }
  bool has_left() { return (*leaving)->has_next_message(); }

  void use_log() {
    here.logs[static_cast<std::size_t>(service::payment)] =
        keep(system.spawn(scripted_event_log, &pulls, &follower));
  }
  void answer_pull() {
    caf::anon_send(here.logs[static_cast<std::size_t>(service::payment)], hint_atom::value);
    run();
  }

  local_services here;
  servant_actor serving;
  std::vector<question> questions;
  peer_caller_actor peers[2];
  received_answers told[2];
  waiting_pulls pulls;
  follower_actor follower;

 private:
  using leave_request = decltype(std::declval<caf::scoped_actor&>()->request(
      std::declval<servant_actor&>(), caf::infinite, leave_atom::value));
  std::optional<caf::scoped_actor> leaving;
  std::optional<leave_request> asked_to_leave;
};

// --- Commands ----------------------------------------------------------------------------------

TEST_F(servant_test, a_command_reaches_its_entity_with_all_its_terms) {
  serve();
  request_terms terms;
  terms.operation = client_operation(9);
  terms.fingerprint = 77;
  terms.maybe_repeated = true;
  terms.condition = version_condition{false, {3, 4}};
  call(5, command_call<payment_command>{42, open_payment{two_coffees, "01012341234"}, terms});
  ASSERT_EQ(questions.size(), 1U);
  const auto& q = questions.front();
  EXPECT_EQ(q.id, 42);
  EXPECT_EQ(std::get<open_payment>(q.what).details, two_coffees);
  EXPECT_EQ(q.how.operation, terms.operation);
  EXPECT_EQ(q.how.fingerprint, 77U);
  EXPECT_TRUE(q.how.maybe_repeated);
  EXPECT_EQ(q.how.condition->versions, (std::vector<version_number>{3, 4}));
  EXPECT_FALSE(q.how.answer_when_queued) << "the other node has another journal";
  EXPECT_TRUE(told[0].answers.empty());
}

TEST_F(servant_test, answers_go_back_under_the_numbers_of_their_calls) {
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

TEST_F(servant_test, an_order_goes_to_placement) {
  std::vector<request> placed;
  here.placement = keep(system.spawn(scripted_placement, &placed));
  serve();
  call(1, place_call{{two_coffees, "01012341234"}, {client_operation(1), 5, false, {}}});
  ASSERT_EQ(placed.size(), 1U);
  EXPECT_EQ(placed[0].operation, client_operation(1));
  placed[0].answer(accepted{effect::created, 1, 1, nullptr});
  placed.clear();
  run();
  EXPECT_EQ(told[0].words(), "1 accepted");
}

TEST_F(servant_test, answers_when_the_commit_is_durable_and_not_before) {
  here.payments = start<region<payment_rules>>(env(service::payment), region_limits{});
  serve();
  call(1, command_call<payment_command>{42, open_payment{two_coffees, {}}, {}});
  EXPECT_EQ(told[0].words(), "");
  settle();
  EXPECT_EQ(told[0].words(), "1 accepted");
  EXPECT_EQ(stored_state<payment_state>(service::payment, 42).status, payment_status::not_paid);
}

TEST_F(servant_test, a_repeat_of_what_is_under_way_is_carried_out_once_and_answered) {
  serve();
  call(5, change(42));
  call(5, change(42));
  EXPECT_EQ(questions.size(), 1U);
  decide(0, accepted{});
  EXPECT_EQ(told[0].words(), "5 accepted");
}

TEST_F(servant_test, a_repeat_of_what_was_answered_is_carried_out_as_a_repeat) {
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

// --- Who may call ------------------------------------------------------------------------------

TEST_F(servant_test, calls_of_strangers_are_ignored) {
  serving = start<servant>(here);
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

TEST_F(servant_test, a_new_run_of_the_peer_gets_no_answers_of_the_last_ones_calls) {
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

// The batch of one log was taken for that of another, and events were passed over.
TEST_F(servant_test, a_new_run_of_the_peer_gets_no_batch_that_the_last_one_pulled) {
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

TEST_F(servant_test, the_same_run_of_the_peer_gets_its_answers_after_it_came_back) {
  serve();
  call(5, change(42));
  arrive(peers[0]);
  call(5, change(42));
  EXPECT_EQ(questions.size(), 1U);
  decide(0, accepted{});
  EXPECT_EQ(told[0].words(), "5 accepted");
}

// --- Reads and logs ----------------------------------------------------------------------------

TEST_F(servant_test, reads_what_is_stored) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  here.payments = start<region<payment_rules>>(env(service::payment), region_limits{});
  serve();
  for (entity_id id = 1; id <= 3; ++id)
    call(static_cast<call_number>(id),
         command_call<payment_command>{id, open_payment{two_coffees, {}}, {}});
  settle();
  row_write row{row_space::rows, "a-1", "one", false};
  commit c{.of = service::payment};
  c.rows = {row, {row_space::rows, "b-1", "two", false}};
  const auto* one = &c;
  ASSERT_EQ(data.write({&one, 1}).front(), std::nullopt);
  told[0].answers.clear();

  call(10, look(2));
  call(11, look(4));
  call(12, list_call{service::payment, {.after = 1, .limit = 1}});
  call(13, count_call{service::payment, {}});
  call(14, count_call{service::payment, std::uint8_t(payment_status::paid)});
  call(15, rows_call{service::payment, row_space::rows, "a-", "", 10, false});
  ASSERT_EQ(told[0].words(), "10 document, 11 document, 12 entities, 13 count, 14 count, 15 rows");
  const auto answer = [&](std::size_t i) { return told[0].answers[i].second; };
  EXPECT_EQ(std::get<3>(answer(0)), stored(service::payment, 2));
  EXPECT_EQ(std::get<3>(answer(1)), std::nullopt);
  ASSERT_EQ(std::get<4>(answer(2)).size(), 1U);
  EXPECT_EQ(std::get<4>(answer(2))[0].id, 2);
  EXPECT_EQ(std::get<std::int64_t>(answer(3)), 3);
  EXPECT_EQ(std::get<std::int64_t>(answer(4)), 0);
  ASSERT_EQ(std::get<6>(answer(5)).size(), 1U);
  EXPECT_EQ(std::get<6>(answer(5))[0].value, "one");
}

TEST_F(servant_test, shows_the_breaker) {
  breaker_display breaker;
  circuit_breaker::figures open;
  open.state = breaker_state::open;
  open.failed_calls = 20;
  breaker.set(open);
  here.breaker = &breaker;
  serve();
  call(1, breaker_call{});
  ASSERT_EQ(told[0].words(), "1 breaker");
  const auto shown = std::get<circuit_breaker::figures>(told[0].answers[0].second);
  EXPECT_EQ(shown.state, breaker_state::open);
  EXPECT_EQ(shown.failed_calls, 20U);
}

TEST_F(servant_test, a_store_that_cannot_be_read_is_answered_with_its_error) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  data.inject({.name = "unreadable", .at = fault_point::read});
  call(1, look(2));
  call(2, look(2));
  EXPECT_EQ(told[0].words(), "1 store-failed, 2 document");
}

TEST_F(servant_test, pulls_from_a_log_and_hints_when_it_grows) {
  const auto log = keep(system.spawn(event_log, &env(service::payment), service::payment));
  here.logs[static_cast<std::size_t>(service::payment)] = log;
  append_events(data, service::payment, {R"({"eventType":"A"})", R"({"eventType":"B"})"});
  serve();
  call(1, pull_call{service::payment, {1, 10, {"B"}}});
  ASSERT_EQ(told[0].words(), "1 events");
  const auto batch = std::get<event_batch>(told[0].answers[0].second);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].offset, 2);
  EXPECT_EQ(batch.next, 3);
  caf::anon_send(log, hint_atom::value);
  run();
  EXPECT_EQ(told[0].grown, std::vector<std::uint8_t>{1});
  call(2, pull_call{service::payment, {3, 10, {}}});
  caf::anon_send(log, hint_atom::value);
  run();
  EXPECT_EQ(told[0].grown, (std::vector<std::uint8_t>{1, 1})) << "its pull makes it a follower";
}

TEST_F(servant_test, hints_of_anybody_are_for_the_peer_that_is_there_now) {
  use_log();
  serving = start<servant>(here);
  run();
  ASSERT_TRUE(follower);
  caf::anon_send(follower, hint_atom::value, service::payment);
  run();
  arrive(peers[0]);
  arrive(peers[1]);
  caf::anon_send(follower, hint_atom::value, service::payment);
  run();
  EXPECT_TRUE(told[0].grown.empty());
  EXPECT_EQ(told[1].grown, std::vector<std::uint8_t>{1});
}

TEST_F(servant_test, a_log_that_hangs_is_answered_for) {
  use_log();
  serve();
  call(1, pull_call{service::payment, {1, 10, {}}});
  advance(milliseconds(2'100));
  EXPECT_EQ(told[0].words(), "1 store-failed");
}

// --- What it cannot do -------------------------------------------------------------------------

TEST_F(servant_test, a_service_that_does_not_run_here_is_away) {
  here = {};
  serve();
  call(1, place_call{});
  call(2, command_call<order_command>{1, cancel_order{}, {}});
  call(3, change(1));
  call(4, command_call<delivery_command>{1, cancel_delivery{}, {}});
  call(5, command_call<stamp_command>{1, add_stamps{1}, {}});
  call(6, pull_call{});
  call(7, look(1));
  call(8, list_call{});
  call(9, count_call{});
  call(10, rows_call{});
  call(11, breaker_call{});
  ASSERT_EQ(told[0].answers.size(), 11U);
  for (const auto& [number, a] : told[0].answers) EXPECT_EQ(word_for(a), "service-away") << number;
}

TEST_F(servant_test, a_call_that_cannot_be_read_is_refused_and_the_next_one_served) {
  serve();
  call_bytes(peers[0], 1, "");
  call_bytes(peers[0], 2, "\x7f");
  call_bytes(peers[0], 3, encode(change(42)) + "x");
  call(4, change(42));
  EXPECT_EQ(told[0].words(), "1 undecodable, 2 undecodable, 3 undecodable");
  EXPECT_EQ(questions.size(), 1U);
}

TEST_F(servant_test, too_many_calls_are_refused_at_once) {
  serve();
  for (call_number n = 1; n <= servant::most_calls; ++n)
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

TEST_F(servant_test, leaves_at_once_where_nothing_is_under_way) {
  serve();
  leave();
  EXPECT_TRUE(has_left());
}

TEST_F(servant_test, a_leaving_node_refuses_what_is_new_and_finishes_what_it_took) {
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

// It waited its whole time for them.
TEST_F(servant_test, a_leaving_node_does_not_wait_for_calls_of_a_peer_that_is_no_more) {
  serve();
  call(1, change(41));
  leave();
  EXPECT_FALSE(has_left());
  arrive(peers[1]);
  EXPECT_TRUE(has_left());
}

}  // namespace
}  // namespace skanu
