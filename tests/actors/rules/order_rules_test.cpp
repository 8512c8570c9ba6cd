// The rules of an order, every state against every command.
#include "actors/rules/order_rules.hpp"

#include <gtest/gtest.h>

#include "tests/support/decisions.hpp"
#include "tests/support/sample_orders.hpp"

namespace skanu {
namespace {

order_state after(std::initializer_list<order_event> events) {
  return skanu::after<order_rules>(events);
}

const order_state unknown;
const order_state complete = after({ordered{42, coffee}});
const order_state delivered_order = after({ordered{42, coffee}, order_closed{42}});
const order_state cancelled = after({ordered{42, coffee}, order_cancelled{42, coffee}});
const order_state rejected = after({order_rejected{42}});

TEST(order_rules, every_state_against_every_command) {
  const decision_table<order_rules> table{
      {{"unknown", unknown},
       {"complete", complete},
       {"delivered", delivered_order},
       {"cancelled", cancelled},
       {"rejected", rejected}},
      {{"register", register_order{coffee}},
       {"register another", register_order{tea}},
       {"reject", reject_order{}},
       {"cancel", cancel_order{}},
       {"close", close_order{}}},
      {{"unknown", {"Ordered", "Ordered", "OrderRejected", "not-found", "not-found"}},
       {"complete", {"nothing", "not-allowed", "not-allowed", "OrderCancelled", "OrderClosed"}},
       {"delivered", {"nothing", "not-allowed", "not-allowed", "already-delivered", "nothing"}},
       {"cancelled", {"nothing", "not-allowed", "not-allowed", "nothing", "nothing"}},
       {"rejected", {"not-allowed", "not-allowed", "nothing", "not-found", "nothing"}}}};
  table.check(42);
}

TEST(order_rules, events_say_what_happened) {
  EXPECT_EQ(only_event<ordered>(order_rules::decide(unknown, register_order{coffee}, 42)),
            (ordered{42, coffee, order_status::complete}));
  EXPECT_EQ(only_event<order_cancelled>(order_rules::decide(complete, cancel_order{}, 42)),
            (order_cancelled{42, coffee, order_status::cancelled}));
  EXPECT_EQ(only_event<order_rejected>(order_rules::decide(unknown, reject_order{}, 42)),
            order_rejected{42});
  const instant noon{std::chrono::hours{12}};
  EXPECT_EQ(only_event<order_closed>(order_rules::decide(complete, close_order{noon}, 42)),
            (order_closed{42, noon}));
}

TEST(order_rules, events_make_the_state) {
  EXPECT_EQ(complete, (order_state{42, coffee, order_status::complete, false}));
  EXPECT_EQ(delivered_order, (order_state{42, coffee, order_status::complete, true}));
  EXPECT_EQ(cancelled, (order_state{42, coffee, order_status::cancelled, false}));
  EXPECT_EQ(rejected, (order_state{42, {}, order_status::rejected, false}));
}

TEST(order_rules, shows_orders_and_hides_rejected_ids) {
  EXPECT_FALSE(order_rules::listed(unknown));
  EXPECT_TRUE(order_rules::listed(complete));
  EXPECT_TRUE(order_rules::listed(delivered_order));
  EXPECT_TRUE(order_rules::listed(cancelled));
  EXPECT_FALSE(order_rules::listed(rejected));
  EXPECT_NE(order_rules::status(complete), order_rules::status(cancelled));
}

TEST(order_rules, a_cancel_that_was_accepted_wins_over_the_delivery_that_ends) {
  EXPECT_EQ(word_for(order_rules::decide(cancelled, close_order{}, 42)), "nothing");
  EXPECT_FALSE(cancelled.delivered);
}

// Found by the random saga with SKANU_SEED=1103913973: a payment paid before the order's rejection,
// and delivered, became a dead letter of order-follows-delivery.
TEST(order_rules, a_rejection_wins_over_the_delivery_of_a_payment_paid_before_it) {
  EXPECT_EQ(word_for(order_rules::decide(rejected, close_order{}, 42)), "nothing");
}

TEST(order_rules, a_delivery_that_ended_first_wins_over_the_cancel) {
  EXPECT_EQ(word_for(order_rules::decide(delivered_order, cancel_order{}, 42)),
            "already-delivered");
}

TEST(order_rules, an_order_tells_when_it_was_delivered_not_when_it_heard_of_that) {
  const instant noon{std::chrono::hours{12}}, later{std::chrono::hours{13}};
  auto s = complete;
  order_rules::note_time(s, order_closed{42, noon}, later);
  EXPECT_EQ(s.times.delivered_at, noon);
  order_rules::note_time(s, order_closed{42}, later);
  EXPECT_EQ(s.times.delivered_at, later) << "an event of an older version";
}

// The original deletes the row of a cancelled order.
TEST(defects_of_the_original, a_cancelled_order_keeps_its_row_and_its_history) {
  EXPECT_TRUE(order_rules::listed(cancelled));
  EXPECT_EQ(cancelled.details, coffee);
  EXPECT_EQ(word_of(cancelled.status), "Order Cancelled");
}

}  // namespace
}  // namespace skanu
