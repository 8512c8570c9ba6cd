// The rules of the trace: the highest-ranking step, in any order of reading the logs.
#include "actors/rules/trace_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "messages/delivery.hpp"
#include "messages/event.hpp"
#include "messages/payment.hpp"
#include "tests/support/sample_orders.hpp"

namespace skanu {
namespace {

const std::string noon = "2026-11-22T12:00:00.000Z";

std::string stored(const order_event& e) { return encode_event(e, 1, noon); }
std::string stored(const payment_event& e) { return encode_event(e, 1, noon); }
std::string stored(const delivery_event& e) { return encode_event(e, 1, noon); }

template <class Event, class Fields>
Event with(const Fields& fields) {
  Event e;
  static_cast<Fields&>(e) = fields;
  return e;
}

const payment_fields payment{42, 42, coffee, payment_status::paid, "01012341234"};
const delivery_fields delivery{42, 42, 42, 7, "Coffee", 2, delivery_status::ready, {}};

order_trace trace_of(const std::vector<std::string>& events) {
  order_trace t;
  for (const auto& e : events) apply_event(t, 42, e);
  return t;
}

TEST(trace_rules, every_event_has_its_step) {
  const std::vector<std::pair<std::string, std::string>> words = {
      {stored(ordered{42, coffee}), "Order END"},
      {stored(with<payment_requested>(payment)), ""},
      {stored(with<paid>(payment)), "PAY END"},
      {stored(with<delivery_prepared>(delivery)), ""},
      {stored(with<delivery_ready>(delivery)), "DELIVERY READY"},
      {stored(with<delivery_started>(delivery)), "DELIVERY START"},
      {stored(with<delivered>(delivery)), "DELIVERY END"},
      {stored(with<destination_changed>(delivery)), ""},
      {stored(with<pay_cancelled>(payment)), "PAY CANCEL"},
      {stored(with<delivery_cancelled>(delivery)), "DELIVERY CANCEL"},
      {stored(order_cancelled{42, coffee}), "ORDER CANCEL"},
      {stored(order_closed{42}), ""},
      {stored(order_rejected{42}), ""},
      {stored(payment_rejected{42}), ""},
      {stored(payment_closed{42}), ""},
      {stored(delivery_rejected{42}), ""},
  };
  for (const auto& [event, word] : words) {
    EXPECT_EQ(word_of(trace_of({event}).status), word) << event;
    EXPECT_EQ(word_of(step_of(event_type_of(event))), word) << event;
    EXPECT_EQ(order_of(event), 42) << event;
  }
}

TEST(trace_rules, the_steps_rank_in_the_order_of_the_design) {
  const std::vector<std::string_view> ranks = {"Order END",       "PAY END",      "DELIVERY READY",
                                               "DELIVERY START",  "DELIVERY END", "PAY CANCEL",
                                               "DELIVERY CANCEL", "ORDER CANCEL"};
  for (std::size_t i = 0; i < ranks.size(); ++i)
    EXPECT_EQ(rank_of(*value_of_word<trace_status>(ranks[i])), static_cast<std::ptrdiff_t>(i + 1));
}

TEST(trace_rules, the_same_events_in_any_order_make_the_same_trace) {
  std::vector<std::string> events = {
      stored(ordered{42, coffee}),
      stored(with<paid>(payment)),
      stored(with<delivery_ready>(delivery)),
      stored(with<delivered>(delivery)),
      stored(with<pay_cancelled>(payment)),
      stored(order_cancelled{42, coffee}),
  };
  std::sort(events.begin(), events.end());
  const auto expected = trace_of(events);
  EXPECT_EQ(word_of(expected.status), "ORDER CANCEL");
  EXPECT_EQ(expected.product_name, "Coffee");
  while (std::next_permutation(events.begin(), events.end())) EXPECT_EQ(trace_of(events), expected);
}

TEST(trace_rules, a_trace_appears_once_its_order_is_seen) {
  EXPECT_FALSE(listed(trace_of({})));
  const auto early = trace_of({stored(with<paid>(payment))});
  EXPECT_FALSE(listed(early));
  const auto complete = trace_of({stored(with<paid>(payment)), stored(ordered{42, coffee})});
  EXPECT_TRUE(listed(complete));
  EXPECT_EQ(word_of(complete.status), "PAY END");
  EXPECT_EQ(complete,
            (order_trace{42, 42, 7, "Coffee", 2, 9'000, trace_status::paid, true, complete.times}));
  EXPECT_FALSE(listed(trace_of({stored(order_rejected{42}), stored(payment_rejected{42})})));
}

TEST(trace_rules, a_step_never_goes_back) {
  const auto t = trace_of({stored(ordered{42, coffee}), stored(with<delivery_started>(delivery)),
                           stored(with<paid>(payment)), stored(with<delivery_ready>(delivery))});
  EXPECT_EQ(word_of(t.status), "DELIVERY START");
}

TEST(trace_rules, the_id_of_an_event_is_not_taken_from_a_users_text) {
  order_details sly = coffee;
  sly.product_name = R"(x","id":666,"y":")";
  sly.payment_type = R"(,"id":667)";
  EXPECT_EQ(order_of(stored(ordered{42, sly})), 42);
  auto fields = delivery;
  fields.destination = R"(,"id":668)";
  EXPECT_EQ(order_of(stored(with<delivered>(fields))), 42);
}

TEST(trace_rules, an_event_that_cannot_be_read_is_said_so) {
  EXPECT_EQ(order_of(""), 0);
  EXPECT_EQ(order_of(R"({"eventType":"Ordered","schema":1})"), 0);
  EXPECT_EQ(order_of(R"({"eventType":"Ordered","id":)"), 0);
  order_trace t;
  EXPECT_THROW(apply_event(t, 42, R"({"eventType":"Ordered","id":42)"), decode_error);
  EXPECT_THROW(apply_event(t, 42, R"({"eventType":"Ordered","id":42,"qty":"2"})"), decode_error);
  EXPECT_FALSE(listed(t));
}

TEST(trace_rules, a_trace_says_when_it_came_to_its_step_in_whatever_order_the_logs_are_read) {
  const auto at = [](const auto& event, int minute) {
    return encode_event(event, 1, "2026-11-22T12:0" + std::to_string(minute) + ":00.000Z");
  };
  std::vector<std::string> events = {
      at(order_event(ordered{42, coffee}), 1), at(payment_event(with<paid>(payment)), 2),
      at(delivery_event(with<delivery_prepared>(delivery)), 3),
      at(delivery_event(with<delivery_ready>(delivery)), 4), at(order_event(order_closed{42}), 5)};
  std::sort(events.begin(), events.end());
  do {
    EXPECT_EQ(trace_of(events).times.changed_at, from_rfc3339("2026-11-22T12:04:00.000Z"));
    EXPECT_EQ(trace_of(events).times.ordered_at, from_rfc3339("2026-11-22T12:01:00.000Z"));
  } while (std::next_permutation(events.begin(), events.end()));
  EXPECT_EQ(trace_of({at(order_event(order_closed{42}), 5)}).times.changed_at, std::nullopt);
}

// In the original, the start of a delivery never reaches the view.
TEST(defects_of_the_original, the_start_of_a_delivery_reaches_the_trace) {
  const auto t =
      trace_of({stored(ordered{42, coffee}), stored(with<paid>(payment)),
                stored(with<delivery_ready>(delivery)), stored(with<delivery_started>(delivery))});
  EXPECT_EQ(word_of(t.status), "DELIVERY START");
}

// An unreadable event must not advance the trace, or an Ordered set aside still shows in the trace.
TEST(trace_rules, an_event_that_cannot_be_read_changes_nothing) {
  order_trace t;
  EXPECT_THROW(
      apply_event(t, 42, R"({"eventType":"Ordered","schema":1,"version":1,"id":42,"qty":"x"})"),
      decode_error);
  EXPECT_EQ(t, order_trace{});
}

}  // namespace
}  // namespace skanu
