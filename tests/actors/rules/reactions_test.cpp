// The saga's table, each consumer with each event of the followed log.
#include "actors/rules/reactions.hpp"

#include <gtest/gtest.h>

#include <map>

#include "actors/rules/decision.hpp"
#include "messages/event.hpp"

namespace skanu {
namespace {

const std::string noon = "2026-11-22T12:00:00.000Z";
const order_details latte{7, "Latte", 2, 9'000, "card"};

std::string text_of(const order_command& c) {
  return std::visit(overloaded{[](const close_order& close) {
                                 return "close order, delivered at " +
                                        to_rfc3339(close.delivered_at.value());
                               },
                               [](const auto&) { return std::string("?"); }},
                    c);
}
std::string text_of(const payment_command& c) {
  return std::visit(
      overloaded{[](const cancel_payment& p) {
                   return std::string(
                       p.cause == cancel_cause::order_cancelled  ? "cancel payment: cancelled"
                       : p.cause == cancel_cause::order_rejected ? "cancel payment: rejected"
                                                                 : "cancel payment: client");
                 },
                 [](const close_payment& close) {
                   return "close payment, delivered at " + to_rfc3339(close.delivered_at.value());
                 },
                 [](const auto&) { return std::string("?"); }},
      c);
}
std::string text_of(const delivery_command& c) {
  return std::visit(
      overloaded{[](const prepare_delivery& p) {
                   return "prepare delivery of " + std::to_string(p.qty) + " " + p.product_name +
                          " (" + std::to_string(p.product_id) + ")";
                 },
                 [](const cancel_delivery&) { return std::string("cancel delivery"); },
                 [](const auto&) { return std::string("?"); }},
      c);
}
std::string text_of(const stamp_command& c) {
  return std::visit(
      overloaded{
          [](const earn_stamps& e) {
            return "earn " + std::to_string(e.qty) + " for " + std::to_string(e.payment_id);
          },
          [](const deduct_stamps& d) { return "deduct for " + std::to_string(d.payment_id); },
          [](const auto&) { return std::string("?"); }},
      c);
}

/// Returns an event's command and target; empty without a command.
template <class Event>
std::string reaction_to(const consumer& who, const Event& event) {
  const auto what = react(who, parse_stored_json(encode_event(event, 3, noon)));
  if (!what) return {};
  return std::visit([](const auto& c) { return text_of(c); }, what->command) + " @" +
         std::to_string(what->id);
}

template <class Event>
Event payment_event_like(std::optional<std::string> phone) {
  Event e;
  static_cast<payment_fields&>(e) = {42, 42, latte, payment_status::paid, std::move(phone)};
  return e;
}

pay_cancelled cancelled_payment(std::optional<std::string> phone, bool refunded) {
  auto e = payment_event_like<pay_cancelled>(std::move(phone));
  e.refunded = refunded;
  return e;
}

delivered delivered_one() {
  delivered e;
  static_cast<delivery_fields&>(e) = {44, 42, 43, 7, "Latte", 2, delivery_status::ended, {}};
  return e;
}

/// A default event of each alternative.
template <class Variant>
std::vector<Variant> each_of() {
  std::vector<Variant> all;
  [&]<class... Es>(std::variant<Es...>*) {
    (all.emplace_back(Es{}), ...);
  }(static_cast<Variant*>(nullptr));
  return all;
}

TEST(reactions, close_the_order_of_a_delivery) {
  EXPECT_EQ(reaction_to(consumers::order_follows_delivery, delivery_event(delivered_one())),
            "close order, delivered at " + noon + " @42");
}

TEST(reactions, of_payment) {
  const order_event cancelled = order_cancelled{42, latte};
  const order_event rejected = order_rejected{42};
  EXPECT_EQ(reaction_to(consumers::payment_follows_order, cancelled),
            "cancel payment: cancelled @42");
  EXPECT_EQ(reaction_to(consumers::payment_follows_order, rejected),
            "cancel payment: rejected @42");
  EXPECT_EQ(reaction_to(consumers::payment_follows_delivery, delivery_event(delivered_one())),
            "close payment, delivered at " + noon + " @43");
}

TEST(reactions, of_delivery) {
  const auto to_payment = [](const payment_event& e) {
    return reaction_to(consumers::delivery_follows_payment, e);
  };
  EXPECT_EQ(to_payment(payment_event_like<paid>({})), "prepare delivery of 2 Latte (7) @42");
  EXPECT_EQ(to_payment(cancelled_payment({}, true)), "cancel delivery @42");
  EXPECT_EQ(to_payment(cancelled_payment({}, false)), "") << "nothing was or will be made";
  EXPECT_EQ(reaction_to(consumers::delivery_follows_order, order_event(order_cancelled{42, latte})),
            "cancel delivery @42");
}

TEST(reactions, of_stamps) {
  const auto to_payment = [](const payment_event& e) {
    return reaction_to(consumers::stamp_follows_payment, e);
  };
  EXPECT_EQ(to_payment(payment_event_like<paid>("01012341234")), "earn 2 for 42 @101012341234");
  EXPECT_EQ(to_payment(payment_event_like<paid>({})), "") << "no phone number, no account";
  EXPECT_EQ(to_payment(cancelled_payment("01012341234", true)), "deduct for 42 @101012341234");
  EXPECT_EQ(to_payment(cancelled_payment("01012341234", false)), "") << "nothing was earned";
  EXPECT_EQ(to_payment(cancelled_payment({}, true)), "");
}

TEST(reactions, concern_no_other_events) {
  const std::map<std::string_view, std::vector<std::string>> concerning = {
      {"order-follows-delivery", {"Delivered"}},
      {"payment-follows-order", {"OrderCancelled", "OrderRejected"}},
      {"payment-follows-delivery", {"Delivered"}},
      {"delivery-follows-payment", {"Paid", "PayCancelled"}},
      {"delivery-follows-order", {"OrderCancelled"}},
      {"stamp-follows-payment", {"Paid", "PayCancelled"}},
      {"ordertrace-follows-order", {}},
      {"ordertrace-follows-payment", {}},
      {"ordertrace-follows-delivery", {}},
  };
  ASSERT_EQ(concerning.size(), std::size(consumers::all));
  const auto check = [&](const consumer& who, const auto& events) {
    for (const auto& e : events) {
      const auto type = std::visit([](const auto& one) { return one.event_type; }, e);
      const auto& types = concerning.at(who.name);
      if (std::find(types.begin(), types.end(), type) == types.end()) {
        EXPECT_EQ(reaction_to(who, e), "") << who.name << " " << type;
      }
    }
  };
  for (const auto& who : consumers::all) {
    EXPECT_EQ(types_of(who), concerning.at(who.name)) << who.name;
    if (who.follows == service::order) check(who, each_of<order_event>());
    if (who.follows == service::payment) check(who, each_of<payment_event>());
    if (who.follows == service::delivery) check(who, each_of<delivery_event>());
  }
}

TEST(reactions, refuse_what_is_no_event) {
  const auto to = [](const char* body) {
    return react(consumers::payment_follows_order, nlohmann::json::parse(body));
  };
  EXPECT_THROW(to("[]"), decode_error);
  EXPECT_THROW(to(R"({"eventType":"OrderCancelled"})"), decode_error);
  EXPECT_THROW(to(R"({"eventType":"OrderCancelled","schema":1,"version":2,"id":"one",
                      "timestamp":"2026-11-22T12:00:00.000Z"})"),
               decode_error);
}

}  // namespace
}  // namespace skanu
