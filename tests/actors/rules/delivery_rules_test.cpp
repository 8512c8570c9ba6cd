// The rules of a delivery, every state against every command.
#include "actors/rules/delivery_rules.hpp"

#include <gtest/gtest.h>

#include "tests/support/decisions.hpp"

namespace skanu {
namespace {

using enum delivery_status;

const prepare_delivery prepare{7, "Coffee", 2};

move_delivery to(delivery_status target) { return {target, {}}; }

delivery_state after_commands(std::initializer_list<delivery_command> commands) {
  delivery_state s;
  for (const auto& c : commands) {
    const auto decided = delivery_rules::decide(s, c, 42);
    EXPECT_FALSE(decided.refusal);
    for (const auto& e : decided.events) delivery_rules::apply(s, e);
  }
  return s;
}

const delivery_state unknown;
const delivery_state at_prepare = after_commands({prepare});
const delivery_state at_ready = after_commands({prepare, to(ready)});
const delivery_state at_start = after_commands({prepare, to(ready), to(started)});
const delivery_state at_end = after_commands({prepare, to(ready), to(started), to(ended)});
const delivery_state at_cancel = after_commands({prepare, to(ready), cancel_delivery{}});
const delivery_state tombstone = after_commands({cancel_delivery{}});

TEST(delivery_rules, every_state_against_every_command) {
  const decision_table<delivery_rules> table{
      {{"unknown", unknown},
       {"Prepare Delivery...", at_prepare},
       {"READY", at_ready},
       {"START", at_start},
       {"END", at_end},
       {"CANCEL", at_cancel},
       {"tombstone", tombstone}},
      {{"prepare", prepare},
       {"to Prepare Delivery...", to(preparing)},
       {"to READY", to(ready)},
       {"to START", to(started)},
       {"to END", to(ended)},
       {"to CANCEL", to(delivery_status::cancelled)},
       {"cancel", cancel_delivery{}}},
      {{"unknown",
        {"DeliveryPrepared", "not-found", "not-found", "not-found", "not-found", "not-found",
         "DeliveryRejected"}},
       {"Prepare Delivery...",
        {"nothing", "nothing", "DeliveryReady", "not-allowed", "not-allowed", "not-allowed",
         "DeliveryCancelled"}},
       {"READY",
        {"nothing", "not-allowed", "nothing", "DeliveryStarted", "not-allowed", "not-allowed",
         "DeliveryCancelled"}},
       {"START",
        {"nothing", "not-allowed", "not-allowed", "nothing", "Delivered", "not-allowed",
         "DeliveryCancelled"}},
       {"END",
        {"nothing", "not-allowed", "not-allowed", "not-allowed", "nothing", "not-allowed",
         "nothing"}},
       {"CANCEL",
        {"nothing", "already-cancelled", "already-cancelled", "already-cancelled",
         "already-cancelled", "nothing", "nothing"}},
       {"tombstone",
        {"nothing", "not-found", "not-found", "not-found", "not-found", "not-found", "nothing"}}}};
  table.check(42);
}

TEST(delivery_rules, a_destination_goes_with_a_step_or_by_itself) {
  struct example {
    const char* name;
    delivery_state from;
    delivery_status target;
    std::string decided;
  };
  for (const auto& x : std::vector<example>{
           {"with a step", at_prepare, ready, "DeliveryReady"},
           {"while it is made", at_prepare, preparing, "DestinationChanged"},
           {"while it is ready", at_ready, ready, "DestinationChanged"},
           {"on the way", at_start, started, "DestinationChanged"},
           {"at the end", at_start, ended, "Delivered"},
           {"with a forbidden step", at_prepare, started, "not-allowed"},
           {"after the end", at_end, ended, "not-allowed"},
           {"after the cancel", at_cancel, delivery_status::cancelled, "not-allowed"}}) {
    SCOPED_TRACE(x.name);
    const move_delivery move{x.target, "Seoul"};
    const auto decided = delivery_rules::decide(x.from, move, 42);
    EXPECT_EQ(word_for(decided), x.decided);
    if (decided.events.empty()) continue;
    auto s = x.from;
    delivery_rules::apply(s, decided.events.front());
    EXPECT_EQ(s.destination, "Seoul");
    EXPECT_EQ(s.status, x.target);
    EXPECT_EQ(word_for(delivery_rules::decide(s, move, 42)), "nothing");
  }
}

TEST(delivery_rules, a_destination_stays_through_the_steps) {
  const auto s = after_commands({prepare, move_delivery{ready, "Seoul"}, to(started), to(ended)});
  EXPECT_EQ(s.destination, "Seoul");
  EXPECT_EQ(after_commands({prepare, move_delivery{ready, "Seoul"}, cancel_delivery{}}).destination,
            "Seoul");
}

TEST(delivery_rules, every_event_carries_the_whole_delivery) {
  delivery_fields fields{42, 42, 42, 7, "Coffee", 2, preparing, {}};
  EXPECT_EQ(only_event<delivery_prepared>(delivery_rules::decide(unknown, prepare, 42)), fields);
  fields.status = ready;
  EXPECT_EQ(only_event<delivery_ready>(delivery_rules::decide(at_prepare, to(ready), 42)), fields);
  fields.status = started;
  EXPECT_EQ(only_event<delivery_started>(delivery_rules::decide(at_ready, to(started), 42)),
            fields);
  fields.status = ended;
  EXPECT_EQ(only_event<delivered>(delivery_rules::decide(at_start, to(ended), 42)), fields);
  fields.status = delivery_status::cancelled;
  EXPECT_EQ(only_event<delivery_cancelled>(delivery_rules::decide(at_start, cancel_delivery{}, 42)),
            fields);
  EXPECT_EQ(only_event<delivery_rejected>(delivery_rules::decide(unknown, cancel_delivery{}, 42)),
            delivery_rejected{42});
}

TEST(delivery_rules, shows_what_was_prepared_and_hides_tombstones) {
  for (const auto& shown : {at_prepare, at_ready, at_start, at_end, at_cancel})
    EXPECT_TRUE(delivery_rules::listed(shown));
  EXPECT_FALSE(delivery_rules::listed(unknown));
  EXPECT_FALSE(delivery_rules::listed(tombstone));
}

TEST(delivery_rules, a_delivery_never_follows_its_own_cancellation) {
  EXPECT_EQ(after_commands({cancel_delivery{}, prepare}), tombstone);
  const auto prepared_first = after_commands({prepare, cancel_delivery{}, prepare});
  EXPECT_EQ(prepared_first.status, delivery_status::cancelled);
}

TEST(delivery_rules, what_was_delivered_stays_delivered) {
  EXPECT_EQ(after_commands({prepare, to(ready), to(started), to(ended), cancel_delivery{}}),
            at_end);
}

// The original prepares a second delivery for the second Paid of a cancelled order.
TEST(defects_of_the_original, a_second_paid_makes_no_second_delivery) {
  for (const auto& s : {at_prepare, at_ready, at_start, at_end, at_cancel, tombstone})
    EXPECT_EQ(word_for(delivery_rules::decide(s, prepare, 42)), "nothing");
}

// The original numbers deliveries apart from orders, and a cancel looks up a delivery by another
// entity's number.
TEST(defects_of_the_original, order_payment_and_delivery_have_one_number) {
  for (const auto& s : {at_prepare, at_end, at_cancel, tombstone}) {
    EXPECT_EQ(s.id, 42);
    EXPECT_EQ(s.order_id, 42);
    EXPECT_EQ(s.payment_id, 42);
  }
}

}  // namespace
}  // namespace skanu
