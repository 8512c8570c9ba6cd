// The numbers of enumerations, frozen: databases and the messages of other nodes hold them. A new
// value is appended here with the next free number; no line here ever changes.
#include <gtest/gtest.h>

#include <array>

#include "actors/rules/circuit_breaker.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "messages/delivery.hpp"
#include "messages/errors.hpp"
#include "messages/order.hpp"
#include "messages/order_trace.hpp"
#include "messages/payment.hpp"
#include "messages/reply.hpp"
#include "messages/values.hpp"

namespace skanu {
namespace {

/// The values stand in the order of their numbers, from 0 to the largest.
template <class Enum>
void expect_numbers(const std::vector<Enum>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(values[i]), i) << "the value at place " << i;
  EXPECT_EQ(static_cast<std::size_t>(last_of(Enum{})) + 1, values.size())
      << "a value without a line here";
}

// Stored in the status index and in the counts.

TEST(enum_numbers, of_orders_stay) {
  using enum order_status;
  expect_numbers<order_status>({none, complete, cancelled, rejected});
}

TEST(enum_numbers, of_payments_stay) {
  using enum payment_status;
  expect_numbers<payment_status>({none, not_paid, paid, cancelled});
}

TEST(enum_numbers, of_deliveries_stay) {
  using enum delivery_status;
  expect_numbers<delivery_status>({none, preparing, ready, started, ended, cancelled});
}

TEST(enum_numbers, of_traces_stay) {
  using enum trace_status;
  expect_numbers<trace_status>({none, ordered, paid, delivery_ready, delivery_started, delivered,
                                pay_cancelled, delivery_cancelled, order_cancelled});
}

TEST(enum_numbers, of_stamp_accounts_stay) { EXPECT_EQ(stamp_rules::status({}), 1); }

// Sent between nodes.

TEST(enum_numbers, of_services_stay) {
  using enum service;
  expect_numbers<service>({order, payment, delivery, stamp, ordertrace});
}

TEST(enum_numbers, of_effects_stay) {
  using enum effect;
  expect_numbers<effect>({created, changed, unchanged});
}

TEST(enum_numbers, of_cancel_causes_stay) {
  using enum cancel_cause;
  expect_numbers<cancel_cause>({client, order_cancelled, order_rejected});
}

TEST(enum_numbers, of_breaker_states_stay) {
  using enum breaker_state;
  expect_numbers<breaker_state>({closed, open, half_open});
}

TEST(enum_numbers, of_error_codes_stay) {
  using enum errc;
  expect_numbers<errc>(
      {malformed,           invalid_field,     immutable_field,   negative_balance,
       not_found,           already_delivered, already_cancelled, already_paid,
       not_allowed,         version_mismatch,  operation_reused,  operation_running,
       payment_unavailable, overloaded,        entity_failed,     conflicting_commit,
       store_full,          store_failed,      shutting_down,     outcome_unknown,
       service_away,        undecodable,       damaged,           data_too_old});
}

}  // namespace
}  // namespace skanu
