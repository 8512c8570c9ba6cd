// A payment's state, commands and events.
#pragma once

#include "messages/order.hpp"

namespace skanu {

/// Its numbers are stored and sent between nodes: a new status takes the next free one.
enum class payment_status : std::uint8_t { none = 0, not_paid = 1, paid = 2, cancelled = 3 };

template <>
struct enum_words<payment_status> {
  static constexpr std::array<std::string_view, 4> list = {"", "Not Pay", "END", "CANCEL"};
};

/// A payment. The id equals the order's id.
struct payment_state {
  entity_id id = 0;
  entity_id order_id = 0;
  order_details details;
  payment_status status = payment_status::none;
  std::optional<std::string> phone_number;
  bool closed = false;    ///< Delivered: a client can no longer cancel.
  bool refunded = false;  ///< Cancelled after being paid.
  bool rejected = false;  ///< The order is rejected: never shown, never opened again.
  payment_times times = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("orderId", self.order_id);
    visit(self.details);
    visit("paymentStatus", self.status);
    visit("phoneNumber", self.phone_number);
    visit(self.times);
  }
  template <class Self, class Visitor>
  static constexpr void internal_fields(Self& self, Visitor& visit) {
    visit("closed", self.closed);
    visit("refunded", self.refunded);
    visit("rejected", self.rejected);
  }
  bool operator==(const payment_state&) const = default;
};

// Commands.

/// Opens the payment during checkout.
struct open_payment {
  order_details details;
  std::optional<std::string> phone_number;  ///< Normalised.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(self.details);
    visit("phoneNumber", self.phone_number);
  }
};

/// A client's change. Given values of the unchangeable fields must equal the stored values.
struct update_payment {
  payment_status target = payment_status::paid;  ///< not_paid, paid or cancelled.
  std::optional<std::string> phone_number;       ///< Normalised.
  std::optional<std::string> payment_type;
  std::optional<entity_id> id, order_id, product_id;
  std::optional<std::string> product_name;
  std::optional<std::int64_t> qty;
  std::optional<won> cost;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("paymentStatus", self.target);
    visit("phoneNumber", self.phone_number);
    visit("paymentType", self.payment_type);
    visit("id", self.id);
    visit("orderId", self.order_id);
    visit("productId", self.product_id);
    visit("productName", self.product_name);
    visit("qty", self.qty);
    visit("cost", self.cost);
  }
};

/// Its numbers are sent between nodes: a new cause takes the next free one.
enum class cancel_cause : std::uint8_t { client = 0, order_cancelled = 1, order_rejected = 2 };

constexpr cancel_cause last_of(cancel_cause) { return cancel_cause::order_rejected; }

/// Cancels the payment, with a refund if paid. Only a client's cancellation can be refused.
struct cancel_payment {
  cancel_cause cause = cancel_cause::client;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("cause", self.cause);
  }
};

/// The order is delivered: a client can no longer cancel the payment.
struct close_payment {
  /// The time of the delivery; unset by a node that does not know the field.
  std::optional<instant> delivered_at = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("deliveredAt", self.delivered_at, since_protocol{5});
  }
};

using payment_command = std::variant<open_payment, update_payment, cancel_payment, close_payment>;

// Events.

/// The fields of the payment events, as in the original system.
struct payment_fields {
  entity_id id = 0;
  entity_id order_id = 0;
  order_details details;
  payment_status status = payment_status::none;
  std::optional<std::string> phone_number;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("orderId", self.order_id);
    visit(self.details);
    visit("paymentStatus", self.status);
    visit("phoneNumber", self.phone_number);
  }
  bool operator==(const payment_fields&) const = default;
};

struct payment_requested : payment_fields {
  static constexpr std::string_view event_type = "PaymentRequested";
};

struct paid : payment_fields {
  static constexpr std::string_view event_type = "Paid";
};

struct pay_cancelled : payment_fields {
  static constexpr std::string_view event_type = "PayCancelled";
  bool refunded = false;  ///< Cancelled after being paid.
  bool rejected = false;  ///< The order was rejected.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(part_of<payment_fields>(self));
    visit("refunded", self.refunded);
    visit("rejected", self.rejected);
  }
  bool operator==(const pay_cancelled&) const = default;
};

/// A tombstone: the order was rejected before the payment was opened.
struct payment_rejected {
  static constexpr std::string_view event_type = "PaymentRejected";
  entity_id id = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
  }
  bool operator==(const payment_rejected&) const = default;
};

struct payment_closed {
  static constexpr std::string_view event_type = "PaymentClosed";
  entity_id id = 0;
  std::optional<instant> delivered_at = {};  ///< Unset: at the time of the event.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("deliveredAt", self.delivered_at);
  }
  bool operator==(const payment_closed&) const = default;
};

using payment_event =
    std::variant<payment_requested, paid, pay_cancelled, payment_rejected, payment_closed>;

}  // namespace skanu
