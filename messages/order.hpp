// An order's state, commands and events.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>

#include "messages/fields.hpp"
#include "messages/step_times.hpp"
#include "messages/values.hpp"

namespace skanu {

/// The ordered goods: the fields common to order, payment and their events, all fixed when the
/// order is placed.
struct order_details {
  entity_id product_id = 0;
  std::string product_name;
  std::int64_t qty = 0;
  won cost = 0;
  std::string payment_type;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("productId", self.product_id);
    visit("productName", self.product_name);
    visit("qty", self.qty);
    visit("cost", self.cost);
    visit("paymentType", self.payment_type);
  }
  bool operator==(const order_details&) const = default;
};

/// Its numbers are stored: a new status takes the next free one.
enum class order_status : std::uint8_t { none = 0, complete = 1, cancelled = 2, rejected = 3 };

template <>
struct enum_words<order_status> {
  static constexpr std::array<std::string_view, 4> list = {"", "Order complete", "Order Cancelled",
                                                           "Rejected"};
};

/// An order. A rejected id is stored for ever and never shown.
struct order_state {
  entity_id id = 0;
  order_details details;
  order_status status = order_status::none;
  bool delivered = false;
  order_times times = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit(self.details);
    visit("orderStatus", self.status);
    visit("delivered", self.delivered);
    visit(self.times);
  }
  bool operator==(const order_state&) const = default;
};

// Commands.

/// A customer's order, carried out by the checkout saga, which opens the payment first.
struct place_order {
  order_details details;
  std::optional<std::string> phone_number;  ///< Normalised; passed on to the payment.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(self.details);
    visit("phoneNumber", self.phone_number);
  }
};

/// Records an order with an open payment.
struct register_order {
  order_details details;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(self.details);
  }
};

/// Decides that a reserved id never becomes an order.
struct reject_order {};

/// Cancels the order in any state of the payment; payment and delivery follow.
struct cancel_order {};

/// The order is delivered: it can no longer be cancelled.
struct close_order {
  /// The time of the delivery; unset by a node that does not know the field.
  std::optional<instant> delivered_at = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("deliveredAt", self.delivered_at, since_protocol{5});
  }
};

using order_command = std::variant<register_order, reject_order, cancel_order, close_order>;

// Events.

struct ordered {
  static constexpr std::string_view event_type = "Ordered";
  entity_id id = 0;
  order_details details;
  order_status status = order_status::complete;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit(self.details);
    visit("orderStatus", self.status);
  }
  bool operator==(const ordered&) const = default;
};

struct order_cancelled {
  static constexpr std::string_view event_type = "OrderCancelled";
  entity_id id = 0;
  order_details details;
  order_status status = order_status::cancelled;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit(self.details);
    visit("orderStatus", self.status);
  }
  bool operator==(const order_cancelled&) const = default;
};

struct order_rejected {
  static constexpr std::string_view event_type = "OrderRejected";
  entity_id id = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
  }
  bool operator==(const order_rejected&) const = default;
};

struct order_closed {
  static constexpr std::string_view event_type = "OrderClosed";
  entity_id id = 0;
  std::optional<instant> delivered_at = {};  ///< Unset: at the time of the event.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("deliveredAt", self.delivered_at);
  }
  bool operator==(const order_closed&) const = default;
};

using order_event = std::variant<ordered, order_cancelled, order_rejected, order_closed>;

}  // namespace skanu
