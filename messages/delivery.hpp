// A delivery's state, commands and events. The first steps are the kitchen's work.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>

#include "messages/fields.hpp"
#include "messages/step_times.hpp"
#include "messages/values.hpp"

namespace skanu {

/// The steps in their order. Their numbers are stored and sent between nodes: a new step takes the
/// next free number, wherever in the order its place is.
enum class delivery_status : std::uint8_t {
  none = 0,
  preparing = 1,
  ready = 2,
  started = 3,
  ended = 4,
  cancelled = 5,
};

template <>
struct enum_words<delivery_status> {
  static constexpr std::array<std::string_view, 6> list = {
      "", "Prepare Delivery...", "READY", "START", "END", "CANCEL"};
};

/// The fields of a delivery and of a delivery's events. Order, payment and delivery share the id.
struct delivery_fields {
  entity_id id = 0;
  entity_id order_id = 0;
  entity_id payment_id = 0;
  entity_id product_id = 0;
  std::string product_name;
  std::int64_t qty = 0;
  delivery_status status = delivery_status::none;
  std::optional<std::string> destination;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("orderId", self.order_id);
    visit("paymentId", self.payment_id);
    visit("productId", self.product_id);
    visit("productName", self.product_name);
    visit("qty", self.qty);
    visit("deliveryStatus", self.status);
    visit("destination", self.destination);
  }
  bool operator==(const delivery_fields&) const = default;
};

/// A delivery. A delivery cancelled before the preparation is a tombstone, never shown.
struct delivery_state : delivery_fields {
  bool rejected = false;
  delivery_times times = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit(part_of<delivery_fields>(self));
    visit(self.times);
  }
  template <class Self, class Visitor>
  static constexpr void internal_fields(Self& self, Visitor& visit) {
    visit("rejected", self.rejected);
  }
  bool operator==(const delivery_state&) const = default;
};

// Commands.

/// The order is paid: the kitchen starts.
struct prepare_delivery {
  entity_id product_id = 0;
  std::string product_name;
  std::int64_t qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("productId", self.product_id);
    visit("productName", self.product_name);
    visit("qty", self.qty);
  }
};

/// The kitchen or the driver moves the delivery a step on, and may change the destination.
struct move_delivery {
  delivery_status target = delivery_status::ready;
  std::optional<std::string> destination;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("deliveryStatus", self.target);
    visit("destination", self.destination);
  }
};

/// Cancels the delivery after the order or the payment.
struct cancel_delivery {};

using delivery_command = std::variant<prepare_delivery, move_delivery, cancel_delivery>;

// Events.

struct delivery_prepared : delivery_fields {
  static constexpr std::string_view event_type = "DeliveryPrepared";
};
struct delivery_ready : delivery_fields {
  static constexpr std::string_view event_type = "DeliveryReady";
};
struct delivery_started : delivery_fields {
  static constexpr std::string_view event_type = "DeliveryStarted";
};
struct delivered : delivery_fields {
  static constexpr std::string_view event_type = "Delivered";
};
struct delivery_cancelled : delivery_fields {
  static constexpr std::string_view event_type = "DeliveryCancelled";
};
struct destination_changed : delivery_fields {
  static constexpr std::string_view event_type = "DestinationChanged";
};

/// A tombstone: a delivery cancelled before the preparation, never to be prepared.
struct delivery_rejected {
  static constexpr std::string_view event_type = "DeliveryRejected";
  entity_id id = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
  }
  bool operator==(const delivery_rejected&) const = default;
};

using delivery_event = std::variant<delivery_prepared, delivery_ready, delivery_started, delivered,
                                    delivery_cancelled, destination_changed, delivery_rejected>;

}  // namespace skanu
