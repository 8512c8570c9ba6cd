// An operator's picture of one order, and its open steps in plain words. Pure.
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

/// An event of the order, from the order's history.
struct seen_event {
  service of = service::order;
  log_offset offset = 0;
  std::string type;
  std::string timestamp;
};

/// One order as seen by each service; nullopt where the service has no such entity or is away.
struct order_picture {
  std::optional<order_state> order;
  std::optional<payment_state> payment;
  std::optional<delivery_state> delivery;
  std::optional<order_trace> trace;
  std::optional<bool>
      stamps_earned;  ///< nullopt where the payment names no account, or the stamp service is away.
  std::array<bool, service_count> away{};
  std::vector<seen_event> events;               ///< In the order seen by the view.
  std::map<std::string, log_offset> positions;  ///< By consumer.
  std::vector<dead_letter> letters;             ///< Dead letters of this order.

  bool is_away(service s) const { return away[static_cast<std::size_t>(s)]; }
};

/// Sentences for the order's open steps, the most important first; at least one sentence.
std::vector<std::string> open_steps(const order_picture& p);

}  // namespace skanu
