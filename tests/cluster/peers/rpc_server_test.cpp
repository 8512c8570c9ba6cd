// Calls of peers: the node carries out each call once, and answers the calling peer.
#include "cluster/peers/rpc_server.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "actors/consumers/event_log.hpp"
#include "cluster/peers/reader.hpp"
#include "persistence/document.hpp"
#include "tests/support/checkout_fixture.hpp"
#include "tests/support/peer_calls.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

const order_details two_coffees{7, "Coffee", 2, 9'000, "card"};

/// Waiting pulls, each with its first offset.
using waiting_pulls = std::deque<std::pair<caf::typed_response_promise<event_batch>, log_offset>>;

/// A log that answers the oldest pull on a hint.
event_log_actor::behavior_type scripted_event_log(event_log_actor::pointer self,
                                                  waiting_pulls* pulls, follower_actor* follower) {
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

/// Waiting reads.
using waiting_reads = std::deque<caf::typed_response_promise<std::string>>;

/// A reader that answers the oldest read with the bytes sent by the test.
using scripted_reader_actor = reader_actor::extend<caf::reacts_to<std::string>>;

scripted_reader_actor::behavior_type scripted_reader(scripted_reader_actor::pointer self,
                                                     waiting_reads* reads) {
  return {[=](read_atom, const peer_read&) {
            reads->push_back(self->make_response_promise<std::string>());
            return reads->back();
          },
          [=](const std::string& answer) {
            reads->front().deliver(answer);
            reads->pop_front();
          }};
}

checkout_actor::behavior_type scripted_checkout(checkout_actor::pointer,
                                                std::vector<command_context>* asked_of_it) {
  return {[=](const place_order& order, command_context& r) {
            EXPECT_EQ(order.details, two_coffees);
            EXPECT_EQ(order.phone_number, "01012341234");
            asked_of_it->push_back(std::move(r));
          },
          [](const known_ids&) {}, [](leave_atom) { return true; }};
}

class rpc_server_test : public actor_fixture {
 protected:
  rpc_server_test() {
    here.entities.of<payment_command>() = keep(system.spawn(scripted_payment, &questions));
    here.item_reader = here.page_reader = keep(system.spawn(reader));
    for (auto& p : peers) p = keep(system.spawn(scripted_caller, &told[&p - peers]));
  }

  ~rpc_server_test() override {
    questions.clear();  // destroyed replies answer their calls
    run();
    pulls.clear();
    reads.clear();
    holding = nullptr;
    follower = nullptr;
  }

  /// Starts the rpc_server with one peer.
  void serve() {
    serving = start<rpc_server>(here);
    arrive(peers[0]);
  }

  void arrive(const remote_client_actor& p) {
    caf::anon_send(serving, peer_arrived{{{}, p, {}}});
    run();
  }

  void call(call_number number, const call_body& body) { call_as(peers[0], number, body); }
  void call_as(const remote_client_actor& p, call_number number, const call_body& body) {
    call_bytes(p, number, encode(body));
  }
  void call_bytes(const remote_client_actor& p, call_number number, const std::string& bytes) {
    caf::send_as(p, serving, call_atom::value, number, bytes);
    run();
  }

  void decide(std::size_t question, outcome result) {
    questions.at(question).how.answer(std::move(result));
    run();
  }

  /// Asks the rpc_server to leave; the answer arrives at `leaving`.
  void leave() {
    leaving.emplace(system);
    asked_to_leave.emplace((*leaving)->request(serving, caf::infinite, leave_atom::value));
    run();
  }
  bool has_left() { return (*leaving)->has_next_message(); }

  void use_log() {
    here.logs[static_cast<std::size_t>(service::payment)] =
        keep(system.spawn(scripted_event_log, &pulls, &follower));
  }
  /// Uses readers that answer on the test's order.
  void hold_reads() {
    here.stores[static_cast<std::size_t>(service::payment)] = &data;
    holding = keep(system.spawn(scripted_reader, &reads));
    here.item_reader = here.page_reader = holding;
  }
  void answer_read(const std::string& document) {
    caf::anon_send(holding, encode(answer_body(std::optional<std::string>(document))));
    run();
  }
  void answer_pull() {
    caf::anon_send(here.logs[static_cast<std::size_t>(service::payment)], hint_atom::value);
    run();
  }

  local_services here;
  rpc_server_actor serving;
  std::vector<question> questions;
  remote_client_actor peers[2];
  received_answers told[2];
  waiting_pulls pulls;
  waiting_reads reads;
  scripted_reader_actor holding;
  follower_actor follower;

 private:
  using leave_request = decltype(std::declval<caf::scoped_actor&>()->request(
      std::declval<rpc_server_actor&>(), caf::infinite, leave_atom::value));
  std::optional<caf::scoped_actor> leaving;
  std::optional<leave_request> asked_to_leave;
};

// --- Commands ----------------------------------------------------------------------------------

TEST_F(rpc_server_test, a_command_reaches_its_entity_with_all_its_terms) {
  serve();
  command_context terms;
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
  place_call placing{{two_coffees, "01012341234"}, {}};
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
  call(1, command_call<payment_command>{42, open_payment{two_coffees, {}}, {}});
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

// --- Reads and logs ----------------------------------------------------------------------------

TEST_F(rpc_server_test, reads_what_is_stored) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  here.entities.of<payment_command>() =
      start<region<payment_rules>>(env(service::payment), region_limits{});
  serve();
  for (entity_id id = 1; id <= 3; ++id)
    call(static_cast<call_number>(id),
         command_call<payment_command>{id, open_payment{two_coffees, {}}, {}});
  settle();
  told[0].answers.clear();

  call(10, look(2));
  call(11, look(4));
  call(12, page_call{service::payment, {.after = 1, .size = 1}});
  call(13, page_call{service::payment, {.status = std::uint8_t(payment_status::paid)}});
  call(14, rows_page_call{service::payment, 2, "a-", {}});
  call(15, rows_page_call{service::payment, 4, "a-", {}});
  ASSERT_EQ(told[0].words(),
            "10 document, 11 document, 12 page, 13 page, 14 rows page, 15 rows page");
  const auto answer = [&](std::size_t i) { return told[0].answers[i].second; };
  EXPECT_EQ(std::get<3>(answer(0)), stored(service::payment, 2));
  EXPECT_EQ(std::get<3>(answer(1)), std::nullopt);
  const auto page = std::get<stored_page>(answer(2));
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].id, 2);
  EXPECT_EQ(page.items[0].document, stored(service::payment, 2));
  EXPECT_EQ(page.total, 3);
  EXPECT_EQ(page.next_after, 2);
  EXPECT_EQ(page.prev_after, 0);
  EXPECT_EQ(page.last_after, 2);
  EXPECT_EQ(std::get<stored_page>(answer(3)).total, 0);
  EXPECT_EQ(std::get<5>(answer(4))->total, 1);
  EXPECT_EQ(std::get<5>(answer(5)), std::nullopt);
}

// A deep page must not hold up the peer's other calls.
TEST_F(rpc_server_test, a_read_holds_up_no_command) {
  hold_reads();
  serve();
  call(1, page_call{service::payment, {}});
  call(2, look(2));
  call(3, change(42));
  ASSERT_EQ(questions.size(), 1U);
  decide(0, accepted{});
  EXPECT_EQ(told[0].words(), "3 accepted");
  answer_read("{}");
  EXPECT_EQ(told[0].words(), "3 accepted, 1 document");
}

TEST_F(rpc_server_test, pages_and_items_have_readers_of_their_own) {
  hold_reads();
  here.item_reader = keep(system.spawn(reader));
  serve();
  call(1, page_call{service::payment, {}});
  call(2, rows_page_call{service::payment, 1, "", {}});
  call(3, look(2));
  EXPECT_EQ(told[0].words(), "3 document");
  EXPECT_EQ(reads.size(), 2U);
}

TEST_F(rpc_server_test, a_new_run_of_the_peer_gets_no_read_that_the_last_one_asked_for) {
  hold_reads();
  serve();
  call(5, look(1));
  arrive(peers[1]);
  call_as(peers[1], 5, look(2));
  ASSERT_EQ(reads.size(), 2U);
  answer_read("{\"of\":1}");
  EXPECT_EQ(told[0].words() + told[1].words(), "");
  answer_read("{\"of\":2}");
  ASSERT_EQ(told[1].words(), "5 document");
  EXPECT_EQ(std::get<3>(told[1].answers[0].second), "{\"of\":2}");
}

TEST_F(rpc_server_test, a_repeat_of_a_read_that_is_under_way_is_read_once) {
  hold_reads();
  serve();
  call(5, look(1));
  call(5, look(1));
  EXPECT_EQ(reads.size(), 1U);
  answer_read("{}");
  call(5, look(1));
  EXPECT_EQ(reads.size(), 1U) << "its answer may have been lost";
}

TEST_F(rpc_server_test, too_many_reads_are_refused_at_once_and_commands_are_not) {
  hold_reads();
  serve();
  for (call_number n = 1; n <= rpc_server::most_reads; ++n)
    caf::send_as(peers[0], serving, call_atom::value, n, encode(look(1)));
  run();
  EXPECT_EQ(reads.size(), rpc_server::most_reads);
  call(9'000, look(1));
  EXPECT_EQ(told[0].words(), "9000 overloaded");
  call(9'001, change(42));
  EXPECT_EQ(questions.size(), 1U);
  answer_read("{}");
  call(9'002, look(1));
  EXPECT_EQ(told[0].words(), "9000 overloaded, 1 document");
}

TEST_F(rpc_server_test, a_read_that_waited_until_nobody_waits_for_it_is_not_done) {
  const auto by = keep(system.spawn(reader));
  caf::scoped_actor self{system};
  data.inject({.name = "read", .at = fault_point::read});
  auto asked_of_it =
      self->request(by, caf::infinite, read_atom::value,
                    peer_read{&data, entity_call{service::payment, 1}, virtual_now()});
  run();
  asked_of_it.receive(
      [](const std::string& answer) { EXPECT_EQ(word_for(decode_answer(answer)), "overloaded"); },
      [](caf::error&) { ADD_FAILURE(); });
  EXPECT_EQ(data.hits("read"), 0U);
}

TEST_F(rpc_server_test, a_page_that_there_cannot_be_is_refused) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  call(1, page_call{service::payment, {.size = 0}});
  call(2, page_call{service::payment, {.size = largest_page + 1}});
  call(3, page_call{service::payment, {.number = -1}});
  call(4, page_call{service::payment, {.number = deepest_skip, .size = 2}});
  call(5, rows_page_call{service::payment, 1, "", {.after = -1}});
  call(6, rows_page_call{service::payment, 1, "", {.size = 0}});
  for (const auto& [number, a] : told[0].answers) EXPECT_EQ(word_for(a), "undecodable") << number;
  call(7, page_call{service::payment, {.after = 1, .number = max_safe_integer}});
  ASSERT_EQ(told[0].answers.size(), 7U);
  EXPECT_EQ(word_for(told[0].answers.back().second), "page") << "its number is only a name";
}

TEST_F(rpc_server_test, shows_the_breaker) {
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

TEST_F(rpc_server_test, a_store_that_cannot_be_read_is_answered_with_its_error) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  data.inject({.name = "unreadable", .at = fault_point::read});
  call(1, look(2));
  call(2, look(2));
  EXPECT_EQ(told[0].words(), "1 store-failed, 2 document");
}

TEST_F(rpc_server_test, pulls_from_a_log_and_hints_when_it_grows) {
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

TEST_F(rpc_server_test, hints_of_anybody_are_for_the_peer_that_is_there_now) {
  use_log();
  serving = start<rpc_server>(here);
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

TEST_F(rpc_server_test, a_log_that_hangs_is_answered_for) {
  use_log();
  serve();
  call(1, pull_call{service::payment, {1, 10, {}}});
  advance(milliseconds(2'100));
  EXPECT_EQ(told[0].words(), "1 store-failed");
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
