// The saga: the ways of an order, the original's defects, and a part down.
#include "tests/actors/saga_fixture.hpp"

namespace skanu {
namespace {

// The main way, and the ways back.

TEST_F(saga_test, an_order_is_paid_made_delivered_and_closed) {
  start_node();
  settle();
  const auto id = placed();
  EXPECT_EQ(pay(id).word(), "waiting");
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(trace_of(id), "PAY END");
  for (const auto to : {delivery_status::ready, delivery_status::started, delivery_status::ended}) {
    move(id, to);
    catch_up();
  }
  EXPECT_EQ(trace_of(id), "DELIVERY END");
  EXPECT_TRUE(stored_state<order_state>(service::order, id).delivered);
  EXPECT_TRUE(payment_of(id).closed);
  const auto cancelled = tell(orders, id, cancel_order{});
  const auto payment_cancelled = tell(payments, id, cancel_payment{});
  settle();
  EXPECT_EQ(cancelled.word(), "already-delivered");
  EXPECT_EQ(payment_cancelled.word(), "already-delivered");
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

TEST_F(saga_test, cancelling_a_paid_order_gives_back_money_and_stamps_and_stops_the_delivery) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  tell(orders, id, cancel_order{});
  catch_up();
  EXPECT_TRUE(payment_of(id).refunded);
  EXPECT_EQ(delivery_of(id), delivery_status::cancelled);
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_EQ(trace_of(id), "ORDER CANCEL");
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

TEST_F(saga_test, cancelling_a_payment_stops_the_delivery_and_leaves_the_order) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  EXPECT_EQ(tell(payments, id, cancel_payment{}).word(), "waiting");
  catch_up();
  EXPECT_TRUE(payment_of(id).refunded);
  EXPECT_EQ(delivery_of(id), delivery_status::cancelled);
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_EQ(trace_of(id), "DELIVERY CANCEL");
  EXPECT_EQ(stored_state<order_state>(service::order, id).status, order_status::complete);
  const auto paid_again = pay(id);
  const auto cancelled = tell(orders, id, cancel_order{});
  settle();
  EXPECT_EQ(paid_again.word(), "already-cancelled");
  EXPECT_EQ(cancelled.word(), "changed v2");
  catch_up();
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

TEST_F(saga_test, a_cancel_that_was_accepted_wins_over_a_delivery_that_ends_at_that_moment) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  move(id, delivery_status::ready);
  move(id, delivery_status::started);
  settle();
  const auto ended = move(id, delivery_status::ended);
  const auto cancelled = tell(orders, id, cancel_order{});
  settle();
  EXPECT_EQ(ended.word().substr(0, 7), "changed");
  EXPECT_EQ(cancelled.word().substr(0, 7), "changed");
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::ended);
  EXPECT_TRUE(payment_of(id).refunded);
  EXPECT_EQ(trace_of(id), "ORDER CANCEL");
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

// The original's defects.

TEST_F(saga_test, defect_of_the_original_cancelling_what_was_paid_makes_no_second_delivery) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  tell(orders, id, cancel_order{});
  catch_up();
  EXPECT_EQ(events_of(service::payment, id, "Paid"), 1);
  EXPECT_EQ(events_of(service::delivery, id, "DeliveryPrepared"), 1);
  EXPECT_EQ(events_of(service::payment, id, "PayCancelled"), 1);
}

TEST_F(saga_test, defect_of_the_original_cancelling_earns_no_stamps_again) {
  start_node();
  settle();
  tell(stamps, account_id_of(phone), add_stamps{10});
  const auto id = placed(phone, 3);
  pay(id);
  catch_up();
  EXPECT_EQ(stamps_of(phone), 13);
  tell(payments, id, cancel_payment{});
  catch_up();
  EXPECT_EQ(stamps_of(phone), 10);
}

TEST_F(saga_test, defect_of_the_original_a_cancel_finds_the_delivery_of_its_own_order) {
  start_node();
  settle();
  // Pays out of the order of the ids, so row numbers of the services would differ.
  const auto first = placed(), second = placed(), third = placed();
  for (const auto id : {third, first, second}) {
    pay(id);
    catch_up();
  }
  tell(orders, second, cancel_order{});
  catch_up();
  EXPECT_EQ(delivery_of(first), delivery_status::preparing);
  EXPECT_EQ(delivery_of(second), delivery_status::cancelled);
  EXPECT_EQ(delivery_of(third), delivery_status::preparing);
}

TEST_F(saga_test, defect_of_the_original_a_cancelled_order_keeps_its_history) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  tell(orders, id, cancel_order{});
  catch_up();
  EXPECT_TRUE(data.read()->listed_entity(service::order, id));
  const auto history =
      data.read()->rows(service::ordertrace, row_space::rows, history_prefix(id), {}, 100);
  EXPECT_EQ(history.size(), 7U);
}

TEST_F(saga_test, defect_of_the_original_a_crash_between_commit_and_publish_loses_no_event) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  run();
  while (events_of(service::payment, id, "Paid") == 0) disk.turn(1);
  crash_node();
  start_node();
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(trace_of(id), "PAY END");
}

TEST_F(saga_test, defect_of_the_original_a_rolled_back_change_publishes_nothing) {
  start_node();
  settle();
  const auto id = placed();
  catch_up();
  data.inject({.name = "rolled back", .when = [](const commit& c) {
                 return c.of == service::payment && !c.changes.empty();
               }});
  const auto failed = pay(id);
  catch_up();
  EXPECT_EQ(failed.word(), "store-failed");
  EXPECT_EQ(delivery_of(id), delivery_status::none);
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_EQ(trace_of(id), "Order END");
}

// A part down.

TEST_F(saga_test, payment_waits_neither_for_stamps_nor_for_the_kitchen) {
  start_node();
  settle();
  const auto is_of_a_follower = [](const commit& c) {
    return c.of == service::stamp || c.of == service::delivery;
  };
  data.inject({.name = "down",
               .code = errc::conflicting_commit,
               .times = 1'000'000,
               .when = is_of_a_follower});
  const auto id = placed();
  const auto paid_one = pay(id);
  settle();
  EXPECT_EQ(paid_one.word(), "changed v2");
  advance(seconds(30));
  EXPECT_EQ(stamps_of(phone), 0);
  data.heal();
  catch_up();
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
}

// A commit with an unknown outcome still hints to the log, or every follower stands still until the
// next event.
TEST_F(saga_test, what_was_stored_though_its_outcome_is_unknown_reaches_its_followers) {
  start_node();
  settle();
  const auto id = placed();
  catch_up();
  data.inject({.name = "unknown",
               .at = fault_point::after_write,
               .code = errc::outcome_unknown,
               .when = [](const commit& c) { return c.of == service::payment; }});
  const auto unknown = pay(id);
  settle();
  EXPECT_EQ(unknown.word(), "outcome-unknown");
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(trace_of(id), "PAY END");
}

}  // namespace
}  // namespace skanu
