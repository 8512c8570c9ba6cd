// Invariants 1, 4 and 5: agreement between order, payment and delivery.
#pragma once

#include "actors/audit/audit_consumers.hpp"
#include "actors/audit/audit_states.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"

namespace skanu {

// Offsets are 0 where the log has no such event.

struct order_marks {
  log_offset cancelled_at = 0;
  log_offset rejected_at = 0;
};

struct payment_marks {
  log_offset paid_at = 0;
  log_offset refunded_at = 0;
  won paid = 0;  ///< The sum over all events of the payment.
  won refunded = 0;
};

struct delivery_marks {
  log_offset ended_at = 0;
  int prepared = 0;  ///< Number of DeliveryPrepared events.
};

using audited_orders = folded_entities<order_rules, order_marks>;
using audited_payments = folded_entities<payment_rules, payment_marks>;
using audited_deliveries = folded_entities<delivery_rules, delivery_marks>;

/// Input of the checks between services; null for an absent service.
struct audited_saga {
  const audited_orders* orders = nullptr;
  const audited_payments* payments = nullptr;
  const audited_deliveries* deliveries = nullptr;
};

/// Runs the checks between the present services. `cut` supplies the order service's reserved ids.
void audit_saga(const service_cut& cut, const audited_saga& saga, const consumer_progress& progress,
                audit_report& report);

}  // namespace skanu
