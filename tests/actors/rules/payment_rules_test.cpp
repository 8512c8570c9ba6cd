// The rules of a payment, every state against every command.
#include "actors/rules/payment_rules.hpp"

#include <gtest/gtest.h>

#include "tests/support/decisions.hpp"
#include "tests/support/sample_orders.hpp"

namespace skanu {
namespace {

const std::string phone = "01012341234";
const std::string other_phone = "01056785678";

update_payment to(payment_status target) {
  update_payment u;
  u.target = target;
  return u;
}

update_payment pay() { return to(payment_status::paid); }

update_payment pay_from(const std::string& number) {
  auto u = pay();
  u.phone_number = number;
  return u;
}

update_payment pay_by(const std::string& type) {
  auto u = pay();
  u.payment_type = type;
  return u;
}

payment_state after_commands(std::initializer_list<payment_command> commands) {
  payment_state s;
  for (const auto& c : commands) {
    const auto decided = payment_rules::decide(s, c, 42);
    EXPECT_FALSE(decided.refusal);
    for (const auto& e : decided.events) payment_rules::apply(s, e);
  }
  return s;
}

const open_payment open{coffee, phone};
const cancel_payment by_client{cancel_cause::client};
const cancel_payment by_order{cancel_cause::order_cancelled};
const cancel_payment by_rejection{cancel_cause::order_rejected};

const payment_state unknown;
const payment_state opened = after_commands({open});
const payment_state paid_one = after_commands({open, pay()});
const payment_state closed = after_commands({open, pay(), close_payment{}});
const payment_state cancelled = after_commands({open, by_client});
const payment_state refunded = after_commands({open, pay(), by_client});
const payment_state refunded_though_closed =
    after_commands({open, pay(), close_payment{}, by_order});
const payment_state rejected_unopened = after_commands({by_rejection});
const payment_state rejected_open = after_commands({open, by_rejection});
const payment_state rejected_paid = after_commands({open, pay(), by_rejection});
const payment_state rejected_cancelled = after_commands({open, by_client, by_rejection});

TEST(payment_rules, every_state_against_every_command) {
  const decision_table<payment_rules> table{
      {{"unknown", unknown},
       {"opened", opened},
       {"paid", paid_one},
       {"closed", closed},
       {"cancelled", cancelled},
       {"refunded", refunded},
       {"refunded though closed", refunded_though_closed},
       {"rejected unopened", rejected_unopened},
       {"rejected open", rejected_open},
       {"rejected paid", rejected_paid},
       {"rejected cancelled", rejected_cancelled}},
      {{"open", open},
       {"open for another order", open_payment{tea, phone}},
       {"pay", pay()},
       {"Not Pay", to(payment_status::not_paid)},
       {"CANCEL", to(payment_status::cancelled)},
       {"cancel by client", by_client},
       {"cancel by order", by_order},
       {"cancel by rejection", by_rejection},
       {"close", close_payment{}}},
      {{"unknown",
        {"PaymentRequested", "PaymentRequested", "not-found", "not-found", "not-found", "not-found",
         "not-found", "PaymentRejected", "not-found"}},
       {"opened",
        {"nothing", "not-allowed", "Paid", "nothing", "PayCancelled", "PayCancelled",
         "PayCancelled", "PayCancelled", "not-allowed"}},
       {"paid",
        {"nothing", "not-allowed", "nothing", "already-paid", "PayCancelled", "PayCancelled",
         "PayCancelled", "PayCancelled", "PaymentClosed"}},
       {"closed",
        {"nothing", "not-allowed", "nothing", "already-paid", "already-delivered",
         "already-delivered", "PayCancelled", "PayCancelled", "nothing"}},
       {"cancelled",
        {"nothing", "not-allowed", "already-cancelled", "already-cancelled", "nothing", "nothing",
         "nothing", "PaymentRejected", "nothing"}},
       {"refunded",
        {"nothing", "not-allowed", "already-cancelled", "already-cancelled", "nothing", "nothing",
         "nothing", "PaymentRejected", "nothing"}},
       {"refunded though closed",
        {"nothing", "not-allowed", "already-cancelled", "already-cancelled", "nothing", "nothing",
         "nothing", "PaymentRejected", "nothing"}},
       {"rejected unopened",
        {"not-allowed", "not-allowed", "not-found", "not-found", "not-found", "not-found",
         "nothing", "nothing", "nothing"}},
       {"rejected open",
        {"not-allowed", "not-allowed", "not-found", "not-found", "not-found", "not-found",
         "nothing", "nothing", "nothing"}},
       {"rejected paid",
        {"not-allowed", "not-allowed", "not-found", "not-found", "not-found", "not-found",
         "nothing", "nothing", "nothing"}},
       {"rejected cancelled",
        {"not-allowed", "not-allowed", "not-found", "not-found", "not-found", "not-found",
         "nothing", "nothing", "nothing"}}}};
  table.check(42);
}

TEST(payment_rules, paying_again_is_a_no_op_with_the_same_fields_only) {
  const auto second = [](const update_payment& u) {
    return word_for(payment_rules::decide(paid_one, u, 42));
  };
  EXPECT_EQ(second(pay_from(phone)), "nothing");
  EXPECT_EQ(second(pay_by("card")), "nothing");
  EXPECT_EQ(second(pay_from(other_phone)), "already-paid");
  EXPECT_EQ(second(pay_by("cash")), "already-paid");
  const auto without_phone = after_commands({open_payment{coffee, {}}, pay()});
  EXPECT_EQ(word_for(payment_rules::decide(without_phone, pay_from(phone), 42)), "already-paid");
}

TEST(payment_rules, paying_may_name_the_phone_and_the_type) {
  auto u = pay_from(other_phone);
  u.payment_type = "cash";
  const auto e = only_event<paid>(payment_rules::decide(opened, u, 42));
  EXPECT_EQ(e.id, 42);
  EXPECT_EQ(e.order_id, 42);
  EXPECT_EQ(e.phone_number, other_phone);
  EXPECT_EQ(e.details.payment_type, "cash");
  EXPECT_EQ(e.details.cost, coffee.cost);
  EXPECT_EQ(e.status, payment_status::paid);
  EXPECT_EQ(only_event<paid>(payment_rules::decide(opened, pay(), 42)).phone_number, phone);
}

TEST(payment_rules, fixed_fields_are_compared_where_they_are_given) {
  struct example {
    std::string field;
    std::function<void(update_payment&, bool same)> name;
  };
  const std::vector<example> examples = {
      {"id", [](auto& u, bool same) { u.id = same ? 42 : 43; }},
      {"orderId", [](auto& u, bool same) { u.order_id = same ? 42 : 43; }},
      {"productId", [](auto& u, bool same) { u.product_id = same ? 7 : 8; }},
      {"productName", [](auto& u, bool same) { u.product_name = same ? "Coffee" : "Tea"; }},
      {"qty", [](auto& u, bool same) { u.qty = same ? 2 : 3; }},
      {"cost", [](auto& u, bool same) { u.cost = same ? 9'000 : 9'001; }},
  };
  for (const auto target :
       {payment_status::paid, payment_status::not_paid, payment_status::cancelled}) {
    for (const auto& x : examples) {
      SCOPED_TRACE(x.field + std::string(" to ") + std::string(word_of(target)));
      auto equal = to(target), different = to(target);
      x.name(equal, true);
      x.name(different, false);
      EXPECT_FALSE(payment_rules::decide(opened, equal, 42).refusal);
      const auto refused = payment_rules::decide(opened, different, 42).refusal;
      ASSERT_TRUE(refused);
      EXPECT_EQ(refused->code, errc::immutable_field);
      ASSERT_EQ(refused->wrong_fields.size(), 1U);
      EXPECT_EQ(refused->wrong_fields.front().field, x.field);
    }
  }
}

TEST(payment_rules, what_does_not_exist_is_not_found_whatever_its_fields) {
  auto u = pay();
  u.qty = 99;
  EXPECT_EQ(word_for(payment_rules::decide(unknown, u, 42)), "not-found");
  EXPECT_EQ(word_for(payment_rules::decide(rejected_open, u, 42)), "not-found");
}

TEST(payment_rules, a_cancellation_says_whether_money_goes_back) {
  const auto refund_of = [](const payment_state& s, const cancel_payment& c) {
    return only_event<pay_cancelled>(payment_rules::decide(s, c, 42));
  };
  EXPECT_FALSE(refund_of(opened, by_client).refunded);
  EXPECT_FALSE(refund_of(opened, by_order).refunded);
  EXPECT_TRUE(refund_of(paid_one, by_client).refunded);
  EXPECT_TRUE(refund_of(paid_one, by_order).refunded);
  EXPECT_TRUE(refund_of(closed, by_order).refunded);
  EXPECT_TRUE(refund_of(paid_one, by_rejection).refunded);
  EXPECT_TRUE(refund_of(paid_one, by_rejection).rejected);
  EXPECT_FALSE(refund_of(paid_one, by_order).rejected);
  EXPECT_EQ(refund_of(paid_one, by_client).status, payment_status::cancelled);
  EXPECT_EQ(refund_of(paid_one, by_client).phone_number, phone);
  EXPECT_EQ(refund_of(paid_one, by_client).details, coffee);
}

TEST(payment_rules, events_make_the_state) {
  payment_state s{42, 42, coffee, payment_status::not_paid, phone, false, false, false};
  EXPECT_EQ(opened, s);
  s.status = payment_status::paid;
  EXPECT_EQ(paid_one, s);
  s.closed = true;
  EXPECT_EQ(closed, s);
  s.status = payment_status::cancelled;
  s.refunded = true;
  EXPECT_EQ(refunded_though_closed, s);
  s.closed = false;
  EXPECT_EQ(refunded, s);
  s.rejected = true;
  EXPECT_EQ(rejected_paid, s);
  s.refunded = false;
  EXPECT_EQ(rejected_open, s);
  EXPECT_EQ(rejected_cancelled, s);
  EXPECT_EQ(rejected_unopened,
            (payment_state{42, 42, {}, payment_status::cancelled, {}, false, false, true}));
}

TEST(payment_rules, shows_payments_and_hides_those_of_rejected_ids) {
  for (const auto& shown : {opened, paid_one, closed, cancelled, refunded, refunded_though_closed})
    EXPECT_TRUE(payment_rules::listed(shown));
  for (const auto& hidden :
       {unknown, rejected_unopened, rejected_open, rejected_paid, rejected_cancelled})
    EXPECT_FALSE(payment_rules::listed(hidden));
}

TEST(payment_rules, a_rejected_id_is_never_opened_however_late_the_request_arrives) {
  for (const auto& s : {rejected_unopened, rejected_open, rejected_paid, rejected_cancelled})
    EXPECT_EQ(word_for(payment_rules::decide(s, open, 42)), "not-allowed");
}

TEST(payment_rules, an_order_cancelled_and_a_delivery_ended_give_the_money_back_in_either_order) {
  const auto cancel_first = after_commands({open, pay(), by_order, close_payment{}});
  const auto close_first = after_commands({open, pay(), close_payment{}, by_order});
  for (const auto& s : {cancel_first, close_first}) {
    EXPECT_EQ(s.status, payment_status::cancelled);
    EXPECT_TRUE(s.refunded);
  }
}

TEST(payment_rules, money_goes_back_once) {
  EXPECT_EQ(word_for(payment_rules::decide(refunded, by_client, 42)), "nothing");
  EXPECT_EQ(word_for(payment_rules::decide(refunded, by_order, 42)), "nothing");
  EXPECT_EQ(word_for(payment_rules::decide(cancelled, by_rejection, 42)), "PaymentRejected");
}

TEST(payment_rules, a_payment_tells_when_it_was_delivered_not_when_it_heard_of_that) {
  const instant noon{std::chrono::hours{12}}, later{std::chrono::hours{13}};
  auto s = closed;
  payment_rules::note_time(s, payment_closed{42, noon}, later);
  EXPECT_EQ(s.times.delivered_at, noon);
  payment_rules::note_time(s, payment_closed{42}, later);
  EXPECT_EQ(s.times.delivered_at, later) << "an event of an older version";
}

// The original saves the payment again on the cancel of a paid order, and so publishes a second
// Paid.
TEST(defects_of_the_original, cancelling_what_was_paid_does_not_publish_paid_again) {
  for (const auto& cause : {by_client, by_order, by_rejection})
    EXPECT_EQ(word_for(payment_rules::decide(paid_one, cause, 42)), "PayCancelled");
  EXPECT_EQ(word_for(payment_rules::decide(paid_one, to(payment_status::cancelled), 42)),
            "PayCancelled");
}

}  // namespace
}  // namespace skanu
