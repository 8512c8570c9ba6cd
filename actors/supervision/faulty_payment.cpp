#include "actors/supervision/faulty_payment.hpp"

#include "actors/supervision/failures.hpp"

namespace skanu {

payment_region_actor::behavior_type faulty_payment(payment_region_actor::pointer self,
                                                   const payment_region_actor& payments,
                                                   fault_plan* faults) {
  contain_failures(*self);
  return {[=](entity_id id, payment_command& c, command_context& r) {
    if (!std::holds_alternative<open_payment>(c)) {
      self->send(payments, id, std::move(c), std::move(r));
      return;
    }
    if (faults->payment_fails()) {
      r.answer(error{errc::payment_unavailable, "Payment refused (a fault on demand)."});
      return;
    }
    if (faults->payment_loses_reply()) {
      r.answer.lose();
      r.answer = {};
    }
    if (const auto wait = faults->payment_delay()) {
      self->delayed_send(payments, *wait, id, std::move(c), std::move(r));
    } else {
      self->send(payments, id, std::move(c), std::move(r));
    }
  }};
}

}  // namespace skanu
