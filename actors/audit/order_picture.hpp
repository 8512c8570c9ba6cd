// What an operator is told of one order: what is open, in plain words. Pure.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/rules/circuit_breaker.hpp"
#include "messages/dead_letter.hpp"
#include "messages/delivery.hpp"
#include "messages/order.hpp"
#include "messages/order_trace.hpp"
#include "messages/payment.hpp"

namespace skanu {

/// An event of the order, as its history has it.
struct seen_event {
  service of = service::order;
  log_offset offset = 0;
  std::string type;
  std::string timestamp;
};

/// What the services say of one order. Nothing where there is none, or where its service is away.
struct order_picture {
  std::optional<order_state> order;
  std::optional<payment_state> payment;
  std::optional<delivery_state> delivery;
  std::optional<order_trace> trace;
  std::optional<bool>
      stamps_earned;  ///< Nothing where the payment names no account, or stamp is away.
  std::array<bool, service_count> away{};
  std::vector<seen_event> events;               ///< In the order in which the view saw them.
  std::map<std::string, log_offset> positions;  ///< By consumer.
  std::vector<dead_letter> letters;             ///< Of this order.

  bool is_away(service s) const { return away[static_cast<std::size_t>(s)]; }
};

/// What the order waits for, the most important first: one sentence at least.
std::vector<std::string> open_steps(const order_picture& p);

}  // namespace skanu
