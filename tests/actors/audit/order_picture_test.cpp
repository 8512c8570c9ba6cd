// The open steps of an order, as a table of the services' states.
#include "actors/audit/order_picture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace skanu {
namespace {

using words = std::vector<std::string>;

/// A picture with an answer from every service.
order_picture picture(std::optional<order_status> order, payment_status paid,
                      delivery_status made = delivery_status::none) {
  order_picture p;
  if (order) {
    p.order.emplace().status = *order;
    p.trace.emplace();
  }
  if (paid != payment_status::none) p.payment.emplace().status = paid;
  if (made != delivery_status::none) p.delivery.emplace().status = made;
  return p;
}

constexpr auto complete = order_status::complete;
constexpr auto cancelled = order_status::cancelled;

TEST(order_picture, says_what_each_state_waits_for) {
  using p = payment_status;
  using d = delivery_status;
  const struct {
    std::optional<order_status> order;
    payment_status paid;
    delivery_status made;
    words expected;
  } table[] = {
      {{}, p::not_paid, d::none, {"it is being placed, or its placement is still to be decided"}},
      {complete, p::none, d::none, {"its payment is missing"}},
      {complete, p::not_paid, d::none, {"payment is waited for"}},
      {complete, p::paid, d::none, {"the kitchen has not been told yet"}},
      {complete, p::paid, d::preparing, {"the kitchen is making it"}},
      {complete, p::paid, d::ready, {"it is ready and waits to be taken away"}},
      {complete, p::paid, d::started, {"it is on its way"}},
      {complete,
       p::paid,
       d::ended,
       {"the order has not been told of its delivery yet",
        "the payment has not been told of its delivery yet"}},
      {complete, p::paid, d::cancelled, {"nothing is open: its delivery is cancelled"}},
      {complete,
       p::cancelled,
       d::none,
       {"nothing is open: its payment is cancelled, and the order may be"}},
      {complete, p::cancelled, d::ready, {"the kitchen has not been told of the cancellation yet"}},
      {cancelled, p::not_paid, d::none, {"the payment has not been told of the cancellation yet"}},
      {cancelled, p::paid, d::ready, {"the payment has not been told of the cancellation yet"}},
      {cancelled,
       p::cancelled,
       d::preparing,
       {"the kitchen has not been told of the cancellation yet"}},
      {cancelled, p::cancelled, d::cancelled, {"nothing is open: the order is cancelled"}},
      {cancelled, p::cancelled, d::ended, {"nothing is open: the order is cancelled"}},
      {cancelled, p::cancelled, d::none, {"nothing is open: the order is cancelled"}},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.expected.front());
    EXPECT_EQ(open_steps(picture(row.order, row.paid, row.made)), row.expected);
  }
}

TEST(order_picture, an_order_whose_delivery_was_told_everywhere_is_done) {
  auto p = picture(complete, payment_status::paid, delivery_status::ended);
  p.order->delivered = p.payment->closed = true;
  EXPECT_EQ(open_steps(p), words{"nothing is open: it was delivered"});
  p = picture(cancelled, payment_status::cancelled);
  p.payment->refunded = true;
  EXPECT_EQ(open_steps(p), words{"nothing is open: the order is cancelled and refunded"});
}

TEST(order_picture, says_how_far_a_consumer_is_behind_the_event_that_is_waited_for) {
  auto p = picture(complete, payment_status::paid);
  p.events = {{service::order, 9, "Ordered", ""}, {service::payment, 57, "Paid", ""}};
  p.positions = {{"delivery-follows-payment", 54}, {"delivery-follows-order", 2}};
  EXPECT_EQ(open_steps(p),
            words{"the kitchen has not been told yet: delivery's position in payment's log is 3 "
                  "behind it"});
  p.positions["delivery-follows-payment"] = 57;
  EXPECT_EQ(open_steps(p), words{"the kitchen has not been told yet"});
}

TEST(order_picture, stamps_and_the_trace_are_waited_for_beside_the_main_step) {
  auto p = picture(complete, payment_status::paid, delivery_status::ready);
  p.payment->phone_number = "01012341234";
  p.stamps_earned = false;
  p.trace.reset();
  EXPECT_EQ(open_steps(p),
            (words{"it is ready and waits to be taken away",
                   "the stamp account has not been told yet", "the trace does not show it yet"}));
  p.stamps_earned = true;
  EXPECT_EQ(open_steps(p).size(), 2U);
}

TEST(order_picture, a_dead_letter_comes_first) {
  auto p = picture(complete, payment_status::paid);
  p.letters = {
      {"delivery-follows-payment", "payment", 57, 1, 5, "x", "", R"({"eventType":"Paid"})"},
      {"delivery-follows-payment", "payment", 60, 1, 0, "x", "",
       R"({"eventType":"PayCancelled"})"}};
  EXPECT_EQ(
      open_steps(p).front(),
      "delivery-follows-payment could not carry out Paid (payment's log, offset 57): replay or "
      "discard its dead letter");
  EXPECT_EQ(open_steps(p).size(), 2U) << "what waits behind it is no step of its own";
}

TEST(order_picture, says_which_node_is_away_and_guesses_nothing_about_it) {
  for (const auto away : all_services) {
    SCOPED_TRACE(name_of(away));
    auto p = picture(complete, payment_status::paid, delivery_status::ready);
    p.payment->phone_number = "01012341234";
    p.away[static_cast<std::size_t>(away)] = true;
    if (away == service::order) p.order.reset();
    if (away == service::payment) p.payment.reset();
    if (away == service::delivery) p.delivery.reset();
    if (away == service::ordertrace) p.trace.reset();
    const auto steps = open_steps(p);
    EXPECT_EQ(std::count(steps.begin(), steps.end(),
                         "the node of " + std::string(name_of(away)) +
                             " is away: what it has cannot be said"),
              1);
    for (const auto& step : steps) EXPECT_EQ(step.find("nothing is open"), step.npos) << step;
  }
}

}  // namespace
}  // namespace skanu
