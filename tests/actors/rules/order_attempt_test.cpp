// An order attempt meets each answer and each timeout in each state.
#include "actors/rules/order_attempt.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace skanu {

std::string_view word_of(checkout_step s) {
  switch (s) {
    case checkout_step::none: return "none";
    case checkout_step::ask_payment: return "ask payment";
    case checkout_step::wait: return "wait";
    case checkout_step::register_order: return "register";
    case checkout_step::reject_order: return "reject";
    case checkout_step::decided: return "decided";
  }
  return "?";
}

namespace {

using std::chrono::milliseconds;

const outcome opened = accepted{effect::created};
const outcome open_already = accepted{effect::unchanged};
outcome failed(errc code) { return error{code, "a test's failure"}; }

class order_attempt_test : public testing::Test {
 protected:
  static order_attempt_limits asked_once() {
    order_attempt_limits limits;
    limits.asked_once = true;
    return limits;
  }

  /// "register success": the next step, and the end of the call to payment.
  static std::string word(const attempt_decision& d) {
    std::string text(word_of(d.next));
    if (d.call) text += " " + std::string(name_of(*d.call));
    if (d.call_dropped) text += " dropped";
    return text;
  }

  std::string payment(int number, const outcome& result) {
    return word(order.on_payment(number, result, now, pause));
  }
  std::string due() {
    EXPECT_EQ(order.due(), now);
    return word(order.on_due(now, pause));
  }
  /// Advances the time to due().
  std::string wait() {
    now = order.due().value();
    return due();
  }
  /// To the pause behind a first refusal.
  void pause_once() {
    order.ask(now);
    ASSERT_EQ(payment(1, failed(errc::overloaded)), "wait failure");
  }

  order_attempt_limits limits;
  const order_attempt::time_point start{std::chrono::hours(1)};
  order_attempt::time_point now = start;
  milliseconds pause{10};
  order_attempt order{start + milliseconds(1'850), limits};
};

TEST_F(order_attempt_test, is_registered_once_payment_is_open) {
  EXPECT_TRUE(order.waits_for_payment());
  EXPECT_EQ(order.ask(now), 1);
  EXPECT_EQ(order.due(), start + milliseconds(610));
  EXPECT_EQ(payment(1, opened), "register success");
  EXPECT_FALSE(order.waits_for_payment());
  EXPECT_EQ(order.due(), std::nullopt);
  EXPECT_EQ(word(order.on_registration(opened)), "decided");
}

TEST_F(order_attempt_test, follows_each_answer_of_payment) {
  const struct {
    outcome answer;
    const char* decision;
    errc refusal;
  } table[] = {
      {opened, "register success", {}},
      {open_already, "register success", {}},
      {failed(errc::payment_unavailable), "wait failure", errc::payment_unavailable},
      {failed(errc::overloaded), "wait failure", errc::payment_unavailable},
      {failed(errc::entity_failed), "wait failure", errc::payment_unavailable},
      {failed(errc::conflicting_commit), "wait failure", errc::payment_unavailable},
      {failed(errc::outcome_unknown), "wait failure", errc::payment_unavailable},
      {failed(errc::shutting_down), "wait failure", errc::payment_unavailable},
      {failed(errc::store_full), "wait failure", errc::store_full},
      {failed(errc::store_failed), "wait failure", errc::store_failed},
      {failed(errc::service_away), "reject failure", errc::service_away},
      {failed(errc::damaged), "reject failure", errc::damaged},
      {failed(errc::not_allowed), "reject failure", errc::not_allowed},
      {failed(errc::undecodable), "reject failure", errc::undecodable},
  };
  for (const auto& row : table) {
    order_attempt one{start + milliseconds(1'850), limits};
    one.ask(now);
    EXPECT_EQ(word(one.on_payment(1, row.answer, now, pause)), row.decision);
    if (std::holds_alternative<error>(row.answer)) {
      EXPECT_EQ(one.refusal().code, row.refusal);
    }
  }
}

TEST_F(order_attempt_test, asks_again_after_a_pause) {
  pause_once();
  EXPECT_EQ(order.due(), start + milliseconds(10));
  EXPECT_EQ(wait(), "ask payment");
  EXPECT_EQ(order.ask(now), 2);
  EXPECT_EQ(order.due(), start + milliseconds(620));
  EXPECT_EQ(wait(), "wait timeout");
  EXPECT_EQ(wait(), "ask payment");
  EXPECT_EQ(order.ask(now), 3);
  EXPECT_EQ(payment(3, opened), "register success");
}

TEST_F(order_attempt_test, its_last_attempt_ends_with_the_deadline) {
  pause = milliseconds(20);
  for (int number = 1; number <= 2; ++number) {
    EXPECT_EQ(order.ask(now), number);
    EXPECT_EQ(wait(), "wait timeout");
    EXPECT_EQ(wait(), "ask payment");
  }
  EXPECT_EQ(order.ask(now), 3);
  EXPECT_EQ(order.due(), start + milliseconds(1'850)) << "not 610 ms later";
  EXPECT_EQ(wait(), "reject timeout");
  EXPECT_EQ(order.refusal().code, errc::payment_unavailable);
  EXPECT_FALSE(order.waits_for_payment());
}

TEST_F(order_attempt_test, begins_no_attempt_that_would_be_too_short) {
  order.ask(now);
  now = start + milliseconds(1'850 - 60);
  EXPECT_EQ(payment(1, failed(errc::overloaded)), "reject failure");
}

TEST_F(order_attempt_test, is_rejected_where_a_pause_ends_behind_the_deadline) {
  pause_once();
  now = start + milliseconds(1'850);
  EXPECT_EQ(word(order.on_due(now, pause)), "reject");
  EXPECT_EQ(order.refusal().code, errc::payment_unavailable);
}

TEST_F(order_attempt_test, asks_a_bounded_number_of_times) {
  limits.attempts = 2;
  pause_once();
  wait();
  order.ask(now);
  EXPECT_EQ(payment(2, failed(errc::overloaded)), "reject failure");
}

TEST_F(order_attempt_test, is_rejected_where_the_breaker_lets_no_call_through) {
  pause_once();
  wait();
  EXPECT_EQ(word(order.refuse({errc::store_full, "full"})), "reject");
  EXPECT_EQ(order.refusal().code, errc::store_full);
}

TEST_F(order_attempt_test,
       a_late_answer_that_opened_the_payment_counts_and_a_late_refusal_does_not) {
  pause_once();
  EXPECT_EQ(payment(1, failed(errc::overloaded)), "none") << "while it pauses";
  wait();
  order.ask(now);
  EXPECT_EQ(payment(1, failed(errc::not_allowed)), "none") << "of the attempt before";
  EXPECT_EQ(payment(1, opened), "register dropped");
  EXPECT_EQ(payment(2, opened), "none") << "it is being registered";
}

TEST_F(order_attempt_test, a_payment_that_opens_in_a_pause_ends_no_call) {
  pause_once();
  EXPECT_EQ(payment(1, opened), "register");
  EXPECT_EQ(order.due(), std::nullopt);
}

TEST_F(order_attempt_test, an_id_in_use_is_told_where_payment_is_asked_once) {
  limits = asked_once();
  order.ask(now);
  EXPECT_EQ(payment(1, open_already), "reject success");
  EXPECT_EQ(order.refusal().code, errc::undecodable);

  order_attempt repeated{start + milliseconds(1'850), limits};
  repeated.ask(now);
  repeated.on_due(now, pause);
  repeated.ask(now);
  EXPECT_EQ(word(repeated.on_payment(2, open_already, now, pause)), "register success")
      << "the first attempt opened it";
}

TEST_F(order_attempt_test, that_could_not_be_registered_is_rejected) {
  order.ask(now);
  payment(1, opened);
  EXPECT_EQ(word(order.on_registration(failed(errc::store_full))), "reject");
  EXPECT_EQ(word(order.on_rejection(accepted{}, now, pause)), "decided");
}

TEST_F(order_attempt_test, is_rejected_again_and_again_until_that_is_stored) {
  order.ask(now);
  payment(1, failed(errc::not_allowed));
  EXPECT_EQ(order.rejections(), 1);
  for (int i = 2; i < 300; ++i) {
    EXPECT_EQ(word(order.on_rejection(failed(errc::store_full), now, pause)), "wait");
    EXPECT_EQ(wait(), "reject");
    EXPECT_EQ(order.rejections(), i);
  }
  EXPECT_EQ(order.refusal().code, errc::not_allowed) << "the first reason stays";
  EXPECT_EQ(word(order.on_rejection(failed(errc::not_allowed), now, pause)), "decided")
      << "it is an order";
}

TEST_F(order_attempt_test, an_id_that_was_left_undecided_is_rejected) {
  auto left = order_attempt::left_undecided(limits);
  EXPECT_FALSE(left.waits_for_payment());
  EXPECT_EQ(left.rejections(), 1);
  EXPECT_EQ(word(left.on_payment(1, opened, now, pause)), "none");
  EXPECT_EQ(word(left.on_rejection(failed(errc::store_full), now, pause)), "wait");
  EXPECT_EQ(left.due(), now + pause);
}

}  // namespace
}  // namespace skanu
