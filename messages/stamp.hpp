// What a stamp account is, can be told and has to tell.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>

#include "messages/fields.hpp"
#include "messages/values.hpp"

namespace skanu {

/// One stamp account: a phone number and its balance. What each payment or manual change earned and
/// took is a ledger of rows beside it.
struct stamp_state {
  std::string phone_number;  ///< Normalised; empty before the first entry.
  std::int64_t stamp_qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("phoneNumber", self.phone_number);
    visit("stampQty", self.stamp_qty);
  }
  bool operator==(const stamp_state&) const = default;
};

// Commands.

/// A change by hand, up or down; never below zero.
struct add_stamps {
  std::int64_t qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("qty", self.qty);
  }
};

/// What a payment earns, once.
struct earn_stamps {
  entity_id payment_id = 0;
  std::int64_t qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("paymentId", self.payment_id);
    visit("qty", self.qty);
  }
};

/// Takes back exactly what that payment earned, once; the balance may become negative.
struct deduct_stamps {
  entity_id payment_id = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("paymentId", self.payment_id);
  }
};

using stamp_command = std::variant<add_stamps, earn_stamps, deduct_stamps>;

// Events. stampQty is what changed, with its sign.

struct stamps_added {
  static constexpr std::string_view event_type = "StampsAdded";
  std::string phone_number;
  std::int64_t stamp_qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("phoneNumber", self.phone_number);
    visit("stampQty", self.stamp_qty);
  }
  bool operator==(const stamps_added&) const = default;
};

struct stamps_earned {
  static constexpr std::string_view event_type = "StampsEarned";
  std::string phone_number;
  entity_id payment_id = 0;
  std::int64_t stamp_qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("phoneNumber", self.phone_number);
    visit("paymentId", self.payment_id);
    visit("stampQty", self.stamp_qty);
  }
  bool operator==(const stamps_earned&) const = default;
};

/// Zero where the payment had earned nothing yet: then it never will.
struct stamps_deducted {
  static constexpr std::string_view event_type = "StampsDeducted";
  std::string phone_number;
  entity_id payment_id = 0;
  std::int64_t stamp_qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("phoneNumber", self.phone_number);
    visit("paymentId", self.payment_id);
    visit("stampQty", self.stamp_qty);
  }
  bool operator==(const stamps_deducted&) const = default;
};

using stamp_event = std::variant<stamps_added, stamps_earned, stamps_deducted>;

/// One line of an account's ledger as it is stored and shown.
struct stamp_entry {
  version_number entry = 0;  ///< The account's version that this line made: 1, 2, 3 …
  std::string kind;          ///< The event's type.
  std::optional<entity_id> payment_id;
  std::int64_t stamp_qty = 0;
  std::string timestamp;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("entry", self.entry);
    visit("eventType", self.kind);
    visit("paymentId", self.payment_id);
    visit("stampQty", self.stamp_qty);
    visit("timestamp", self.timestamp);
  }
  bool operator==(const stamp_entry&) const = default;
};

}  // namespace skanu
