// Checkout with the real orders, and with a payment service scripted by the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "actors/entities/checkout.hpp"
#include "actors/entities/region.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/sample_orders.hpp"
#include "tests/support/scripted_payment.hpp"

namespace skanu {

inline const place_order coffee_order{coffee, "01012341234"};

/// Checkout with the real orders, and with a payment service scripted by the test.
class checkout_test : public actor_fixture {
 protected:
  /// Starts checkout the way a starting node does.
  void start_checkout(checkout_limits limits = {}) {
    orders = start<region<order_rules>>(env(service::order), region_limits{});
    const auto payments = keep(system.spawn(scripted_payment, &questions));
    placing = start<checkout>(env(service::order), orders, payments, faults, breaker,
                              recover_ids(*data.read(), limits.shared_journal), limits);
    settle();
  }

  /// Kills checkout, like a crash or a stop; the stored data stays.
  void stop_checkout() {
    caf::anon_send_exit(placing, caf::exit_reason::kill);
    run();
  }

  asked place(const conditions& c = {}) {
    asked a;
    caf::anon_send(placing, coffee_order, request_of(a, c));
    run();
    return a;
  }

  void open(std::size_t i = 0) {
    questions.at(i).how.answer(accepted{effect::created, questions.at(i).id, 1, nullptr});
    run();
  }
  void refuse(std::size_t i = 0, errc code = errc::payment_unavailable) {
    questions.at(i).how.answer(error{code, "a test's refusal"});
    run();
  }

  /// Places an order; payment opens at once.
  asked placed() {
    const auto a = place();
    open(questions.size() - 1);
    settle();
    return a;
  }

  /// Asks checkout to leave; true where checkout is idle and has given back its ids.
  bool leave() {
    caf::scoped_actor self{system};
    auto asked_to_leave = self->request(placing, caf::infinite, leave_atom::value);
    settle();
    bool left = false;
    if (self->has_next_message())
      asked_to_leave.receive([&](bool stored) { left = stored; }, [](caf::error&) {});
    return left;
  }

  std::size_t rejected() {
    const auto log = log_of(service::order);
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), "OrderRejected"));
  }

  breaker_state state_of_breaker() { return breaker.get().state; }

  order_region_actor orders;
  checkout_actor placing;
  breaker_display breaker;
  std::vector<question> questions;
};

}  // namespace skanu
