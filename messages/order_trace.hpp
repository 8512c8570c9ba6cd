// The trace of an order: the progress shown on "my page".
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "messages/order.hpp"

namespace skanu {

/// The steps of an order. The numbers are stored: a new step takes the next free number. The rank
/// of a step is the trace's rule (actors/rules/trace_rules.hpp).
enum class trace_status : std::uint8_t {
  none = 0,
  ordered = 1,
  paid = 2,
  delivery_ready = 3,
  delivery_started = 4,
  delivered = 5,
  pay_cancelled = 6,
  delivery_cancelled = 7,
  order_cancelled = 8,
};

template <>
struct enum_words<trace_status> {
  static constexpr std::array<std::string_view, 9> list = {"",
                                                           "Order END",
                                                           "PAY END",
                                                           "DELIVERY READY",
                                                           "DELIVERY START",
                                                           "DELIVERY END",
                                                           "PAY CANCEL",
                                                           "DELIVERY CANCEL",
                                                           "ORDER CANCEL"};
};

/// An order's trace; shown after the Ordered event.
struct order_trace {
  entity_id id = 0;
  entity_id order_id = 0;
  entity_id product_id = 0;
  std::string product_name;
  std::int64_t qty = 0;
  won cost = 0;
  trace_status status = trace_status::none;
  bool registered = false;  ///< Ordered has been seen.
  trace_times times;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("orderId", self.order_id);
    visit("productId", self.product_id);
    visit("productName", self.product_name);
    visit("qty", self.qty);
    visit("cost", self.cost);
    visit("status", self.status);
    visit(self.times);
  }
  template <class Self, class Visitor>
  static constexpr void internal_fields(Self& self, Visitor& visit) {
    visit("registered", self.registered);
  }
  bool operator==(const order_trace&) const = default;
};

/// A trace has changed: the whole trace as of now. The time is the time of the event that caused
/// the change.
struct trace_changed {
  static constexpr std::string_view event_type = "TraceChanged";
  order_trace now;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(self.now);
  }
  bool operator==(const trace_changed&) const = default;
};

using trace_event = std::variant<trace_changed>;

}  // namespace skanu
