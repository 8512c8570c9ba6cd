// Checkout places orders: attempts, breaker, bulkhead, deadline, rejections, operations.
#include "tests/support/checkout_fixture.hpp"

namespace skanu {
namespace {

// --- The way of one order --------------------------------------------------------------------

TEST_F(checkout_test, opens_the_payment_then_records_the_order) {
  start_checkout();
  const auto order = place();
  ASSERT_EQ(questions.size(), 1U);
  const auto id = questions[0].id;
  const auto& wanted = std::get<open_payment>(questions[0].what);
  EXPECT_EQ(wanted.details, coffee);
  EXPECT_EQ(wanted.phone_number, coffee_order.phone_number);
  settle();
  EXPECT_EQ(stored(service::order, id), "") << "recorded before its payment was open";
  open();
  EXPECT_EQ(order.word(), "waiting") << "answered before it was durable";
  settle();
  EXPECT_EQ(order.word(), "created v1");
  EXPECT_EQ(order.id(), id);
  EXPECT_EQ(stored_state<order_state>(service::order, id).details, coffee);
  EXPECT_EQ(rejected(), 0U);
}

TEST_F(checkout_test, orders_have_different_ids) {
  start_checkout();
  std::set<entity_id> ids;
  for (int i = 0; i < 50; ++i) ids.insert(placed().id());
  EXPECT_EQ(ids.size(), 50U);
  EXPECT_EQ(*ids.begin(), 1);
}

TEST_F(checkout_test, asks_again_under_the_same_id_after_610_ms) {
  start_checkout();
  const auto order = place();
  advance(milliseconds(605));
  EXPECT_EQ(questions.size(), 1U);
  advance(milliseconds(60));
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[1].id, questions[0].id);
  EXPECT_EQ(breaker.get().failed_calls, 1U) << "a timeout is a failure";
  open(1);
  settle();
  EXPECT_EQ(order.word(), "created v1");
}

TEST_F(checkout_test, asks_again_when_payment_refuses_for_the_moment) {
  start_checkout();
  const auto order = place();
  refuse();
  EXPECT_EQ(order.word(), "waiting");
  advance(milliseconds(40));
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[1].id, questions[0].id);
  open(1);
  settle();
  EXPECT_EQ(order.word(), "created v1");
}

// The client must learn of a failure of payment's store, not of an unavailable payment.
TEST_F(checkout_test, says_that_a_store_failed_where_payment_s_did_and_not_payment) {
  for (const auto code : {errc::store_failed, errc::store_full, errc::damaged}) {
    questions.clear();
    start_checkout();
    const auto order = place();
    std::size_t refused = 0;
    for (int i = 0; order.word() == "waiting" && i < 200; ++i) {
      for (; refused < questions.size(); ++refused) refuse(refused, code);
      advance(milliseconds(50));
    }
    EXPECT_EQ(order.word(), name_of(code));
    stop_checkout();
  }
}

TEST_F(checkout_test, an_open_breaker_says_that_the_store_failed_as_long_as_it_was_the_store) {
  start_checkout();
  std::size_t asked_for = 0;
  asked order;
  for (int i = 0; i < 200 && state_of_breaker() != breaker_state::open; ++i) {
    if (order.word() != "waiting" || i == 0) order = place();
    for (; asked_for < questions.size(); ++asked_for) refuse(asked_for, errc::store_failed);
    advance(milliseconds(50));
  }
  ASSERT_EQ(state_of_breaker(), breaker_state::open);
  EXPECT_EQ(place().word(), "store-failed");
}

TEST_F(checkout_test, a_refusal_for_good_rejects_the_id) {
  start_checkout();
  const auto order = place();
  refuse(0, errc::not_allowed);
  EXPECT_EQ(order.word(), "waiting") << "told before it was certain";
  settle();
  EXPECT_EQ(order.word(), "not-allowed");
  EXPECT_EQ(rejected(), 1U);
}

TEST_F(checkout_test, at_the_deadline_the_id_is_rejected_and_the_client_told) {
  start_checkout();
  const auto order = place();
  const auto began = virtual_now();
  while (order.waiting() && virtual_now() - began < seconds(5)) advance(milliseconds(5));
  EXPECT_EQ(order.word(), "payment-unavailable");
  EXPECT_LE(virtual_now() - began, checkout_deadline + milliseconds(20))
      << "within the 2 s of the request";
  EXPECT_GE(virtual_now() - began, checkout_deadline - milliseconds(100))
      << "what time there was, was used";
  EXPECT_EQ(rejected(), 1U);
  EXPECT_GE(questions.size(), 3U);
  for (const auto& q : questions) EXPECT_EQ(q.id, questions[0].id);
}

TEST_F(checkout_test, the_deadline_cuts_the_last_attempt_short) {
  start_checkout();
  const auto order = place();
  advance(milliseconds(300));
  refuse();  // so the last attempt begins later than without any answer
  const auto began = virtual_now() - milliseconds(300);
  while (order.waiting() && virtual_now() - began < seconds(5)) advance(milliseconds(5));
  EXPECT_EQ(order.word(), "payment-unavailable");
  EXPECT_GE(virtual_now() - began, checkout_deadline - milliseconds(5));
  EXPECT_LE(virtual_now() - began, checkout_deadline + milliseconds(20));
}

TEST_F(checkout_test, a_success_that_comes_late_still_counts) {
  start_checkout();
  const auto order = place();
  advance(milliseconds(700));
  ASSERT_EQ(questions.size(), 2U);
  open(0);
  settle();
  EXPECT_EQ(order.word(), "created v1");
  open(1);
  settle();
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
}

TEST_F(checkout_test, a_success_while_it_pauses_still_counts) {
  start_checkout();
  const auto order = place();
  advance(milliseconds(615));
  ASSERT_EQ(questions.size(), 1U);
  open(0);
  settle();
  EXPECT_EQ(order.word(), "created v1");
  advance(seconds(3));
  EXPECT_EQ(questions.size(), 1U);
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
}

TEST_F(checkout_test, a_success_after_the_rejection_changes_nothing) {
  start_checkout();
  const auto order = place();
  advance(milliseconds(2'000));
  EXPECT_EQ(order.word(), "payment-unavailable");
  for (std::size_t i = 0; i < questions.size(); ++i) open(i);
  settle();
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"OrderRejected"});
}

TEST_F(checkout_test, a_late_refusal_of_an_earlier_attempt_changes_nothing) {
  start_checkout();
  const auto order = place();
  advance(milliseconds(700));
  ASSERT_EQ(questions.size(), 2U);
  refuse(0, errc::not_allowed);
  settle();
  EXPECT_EQ(order.word(), "waiting");
  open(1);
  settle();
  EXPECT_EQ(order.word(), "created v1");
}

// --- Failed commits -----------------------------------------------------------------------------

TEST_F(checkout_test, an_order_that_cannot_be_stored_is_refused_and_its_id_rejected) {
  start_checkout();
  const auto order = place();
  data.inject({.name = "full", .code = errc::store_full});
  open();
  disk.turn();
  EXPECT_EQ(order.word(), "store-full");
  settle();
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"OrderRejected"});
}

TEST_F(checkout_test, a_rejection_that_cannot_be_stored_is_tried_for_ever) {
  start_checkout();
  const auto order = place();
  data.inject({.name = "full", .code = errc::store_full, .times = 1'000'000});
  refuse(0, errc::not_allowed);
  settle();
  EXPECT_EQ(order.word(), "not-allowed") << "nobody else registers the id: it is certain";
  advance(minutes(10));
  EXPECT_GE(data.hits("full"), 100U);
  EXPECT_LE(data.hits("full"), 2'000U) << "at a capped rate";
  data.heal();
  advance(seconds(6));
  EXPECT_EQ(rejected(), 1U);
  advance(seconds(60));
  EXPECT_EQ(rejected(), 1U);
}

TEST_F(checkout_test, an_order_that_was_stored_though_it_seemed_to_fail_stays_an_order) {
  start_checkout();
  const auto order = place();
  data.inject({.name = "unknown", .at = fault_point::after_write, .code = errc::outcome_unknown});
  open();
  settle();
  EXPECT_EQ(order.word(), "outcome-unknown");
  advance(seconds(10));
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
  EXPECT_EQ(placed().word(), "created v1");
  EXPECT_TRUE(leave()) << "it is still at work on it";
}

TEST_F(checkout_test, a_store_that_cannot_be_read_does_not_end_placement) {
  start_checkout();
  data.inject({.name = "unreadable", .at = fault_point::read});
  const auto repeated = place(under_key(1));
  EXPECT_EQ(repeated.word(), "store-failed");
  EXPECT_EQ(placed().word(), "created v1");
}

// --- Breaker and bulkhead -----------------------------------------------------------------------

TEST_F(checkout_test, the_breaker_opens_refuses_at_once_and_closes_again) {
  checkout_limits limits;
  limits.retry = {milliseconds(5'000), milliseconds(5'000)};  // a single attempt each
  start_checkout(limits);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(state_of_breaker(), breaker_state::closed);
    place();
    refuse(i);
  }
  settle();
  EXPECT_EQ(state_of_breaker(), breaker_state::open);
  const auto refused = place();
  EXPECT_EQ(refused.word(), "payment-unavailable") << "without asking, without the disk";
  EXPECT_EQ(questions.size(), 20U);
  EXPECT_EQ(breaker.get().not_permitted_calls, 1);
  EXPECT_EQ(rejected(), 20U) << "a refusal at once uses up no id";

  advance(milliseconds(5'000));
  std::vector<asked> probes;
  for (int i = 0; i < 5; ++i) probes.push_back(place());
  EXPECT_EQ(state_of_breaker(), breaker_state::half_open);
  EXPECT_EQ(place().word(), "payment-unavailable");
  ASSERT_EQ(questions.size(), 25U);
  for (std::size_t i = 20; i < 25; ++i) open(i);
  settle();
  for (const auto& p : probes) EXPECT_EQ(p.word(), "created v1");
  EXPECT_EQ(state_of_breaker(), breaker_state::closed);
  EXPECT_EQ(placed().word(), "created v1");
}

TEST_F(checkout_test, probes_that_fail_open_the_breaker_again) {
  checkout_limits limits;
  limits.retry = {milliseconds(5'000), milliseconds(5'000)};
  start_checkout(limits);
  for (std::size_t i = 0; i < 20; ++i) {
    place();
    refuse(i);
  }
  settle();
  advance(milliseconds(5'000));
  for (std::size_t i = 20; i < 25; ++i) {
    place();
    refuse(i);
  }
  EXPECT_EQ(state_of_breaker(), breaker_state::open);
  EXPECT_EQ(place().word(), "payment-unavailable");
}

TEST_F(checkout_test, a_probe_overtaken_by_the_answer_to_an_earlier_one_gives_its_place_back) {
  checkout_limits limits;
  limits.breaker.window = limits.breaker.minimum_calls = 1;
  start_checkout(limits);
  const auto failed = place();
  refuse(0, errc::not_allowed);
  settle();
  ASSERT_EQ(state_of_breaker(), breaker_state::open);
  advance(milliseconds(5'000));
  const auto order = place();
  advance(milliseconds(700));
  ASSERT_EQ(questions.size(), 3U) << "the first probe timed out, the second is under way";
  ASSERT_EQ(state_of_breaker(), breaker_state::half_open);
  open(1);
  settle();
  EXPECT_EQ(order.word(), "created v1");
  std::vector<asked> probes;
  for (int i = 0; i < 4; ++i) probes.push_back(place());
  EXPECT_EQ(place().word(), "payment-unavailable") << "five probes in all";
  ASSERT_EQ(questions.size(), 7U);
  for (std::size_t i = 3; i < 7; ++i) open(i);
  settle();
  for (const auto& p : probes) EXPECT_EQ(p.word(), "created v1");
  EXPECT_EQ(state_of_breaker(), breaker_state::closed);
}

TEST_F(checkout_test, a_retry_asks_the_breaker_too) {
  start_checkout();
  const auto order = place();
  const auto others = [&] {
    std::vector<asked> made;
    for (int i = 0; i < 19; ++i) made.push_back(place());
    return made;
  }();
  for (std::size_t i = 0; i < 20; ++i) refuse(i);
  settle();
  EXPECT_EQ(state_of_breaker(), breaker_state::open);
  advance(milliseconds(200));
  EXPECT_EQ(questions.size(), 20U);
  EXPECT_EQ(order.word(), "payment-unavailable");
  for (const auto& o : others) EXPECT_EQ(o.word(), "payment-unavailable");
  EXPECT_EQ(rejected(), 20U);
}

TEST_F(checkout_test, at_most_128_orders_wait_for_payment) {
  start_checkout();
  std::vector<asked> waiting;
  for (int i = 0; i < 128; ++i) waiting.push_back(place());
  EXPECT_EQ(questions.size(), 128U);
  const auto parked = place();
  EXPECT_EQ(questions.size(), 128U);
  advance(milliseconds(250));
  EXPECT_EQ(parked.word(), "waiting");
  advance(milliseconds(70));
  EXPECT_EQ(parked.word(), "overloaded");
  EXPECT_EQ(questions.size(), 128U);
  open(0);
  EXPECT_EQ(place().word(), "waiting") << "one that has its payment waits no more";
  EXPECT_EQ(questions.size(), 129U);
  advance(milliseconds(2'500));
  for (std::size_t i = 1; i < waiting.size(); ++i)
    EXPECT_EQ(waiting[i].word(), "payment-unavailable");
  advance(seconds(10));
  EXPECT_EQ(placed().word(), "created v1") << "the bulkhead is free again";
}

// A healthy payment must serve 130 clients of a single turn, without a refusal for too many
// waiting.
TEST_F(checkout_test, those_beyond_128_come_in_their_order_as_others_get_their_payment) {
  start_checkout();
  std::vector<asked> all;
  for (int i = 0; i < 130; ++i) all.push_back(place());
  EXPECT_EQ(questions.size(), 128U);
  advance(milliseconds(100));
  open(0);
  ASSERT_EQ(questions.size(), 129U);
  open(1);
  ASSERT_EQ(questions.size(), 130U);
  EXPECT_LT(questions[128].id, questions[129].id);
  for (std::size_t i = 2; i < 130; ++i) open(i);
  settle();
  for (const auto& a : all) EXPECT_EQ(a.word(), "created v1");
}

TEST_F(checkout_test, the_time_of_an_order_begins_before_it_is_let_in) {
  start_checkout();
  for (int i = 0; i < 128; ++i) place();
  const auto order = place();
  const auto began = virtual_now();
  advance(milliseconds(190));
  open(0);
  ASSERT_EQ(questions.size(), 129U);
  while (order.waiting() && virtual_now() - began < seconds(5)) advance(milliseconds(5));
  EXPECT_EQ(order.word(), "payment-unavailable");
  EXPECT_LE(virtual_now() - began, checkout_deadline + milliseconds(20));
}

TEST_F(checkout_test, no_more_than_512_wait_to_be_let_in) {
  start_checkout();
  for (int i = 0; i < 128 + 512; ++i) EXPECT_EQ(place().word(), "waiting");
  EXPECT_EQ(place().word(), "overloaded");
  EXPECT_EQ(questions.size(), 128U);
}

TEST_F(checkout_test, an_order_that_waits_to_be_let_in_runs_once_under_its_key) {
  start_checkout();
  for (int i = 0; i < 128; ++i) place();
  const auto order = place(under_key(1)), repeat = place(under_key(1));
  open(0);
  open(1);
  EXPECT_EQ(questions.size(), 130U - 1);
  EXPECT_EQ(repeat.word(), "operation-running");
  open(128);
  settle();
  EXPECT_EQ(order.word(), "created v1");
}

// --- Operations ---------------------------------------------------------------------------------

TEST_F(checkout_test, a_repeat_of_a_running_order_is_told_so_and_a_later_one_gets_its_answer) {
  start_checkout();
  const auto order = place(under_key(1));
  EXPECT_EQ(place(under_key(1)).word(), "operation-running");
  open();
  settle();
  const auto repeat = place(under_key(1));
  EXPECT_EQ(repeat.word(), "created v1");
  EXPECT_EQ(repeat.document(), order.document());
  EXPECT_EQ(place(under_key(1, 2)).word(), "operation-reused");
  EXPECT_EQ(questions.size(), 1U);
  EXPECT_EQ(log_of(service::order).size(), 1U);
}

TEST_F(checkout_test, an_order_that_failed_may_be_tried_again_under_its_key) {
  start_checkout();
  const auto failed = place(under_key(1));
  refuse(0, errc::not_allowed);
  settle();
  EXPECT_EQ(failed.word(), "not-allowed");
  const auto again = place(under_key(1));
  open(1);
  settle();
  EXPECT_EQ(again.word(), "created v1");
  EXPECT_NE(questions[0].id, questions[1].id);
}

TEST_F(checkout_test, a_repeat_after_a_crash_gets_the_answer_that_was_stored) {
  start_checkout();
  const auto order = place(under_key(1));
  open();
  settle();
  stop_checkout();
  start_checkout();
  const auto repeat = place(under_key(1));
  EXPECT_EQ(repeat.document(), order.document());
}

}  // namespace
}  // namespace skanu
