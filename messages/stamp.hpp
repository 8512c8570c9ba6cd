// A stamp account's state, commands and events.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>

#include "messages/fields.hpp"
#include "messages/values.hpp"

namespace skanu {

/// A stamp account: a phone number and a balance. A ledger of rows records each payment's and each
/// manual change.
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

/// A manual change, up or down; the balance never drops below zero.
struct add_stamps {
  std::int64_t qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("qty", self.qty);
  }
};

/// Adds the stamps earned by a payment, once.
struct earn_stamps {
  entity_id payment_id = 0;
  std::int64_t qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("paymentId", self.payment_id);
    visit("qty", self.qty);
  }
};

/// Takes back the stamps earned by the payment, once; the balance may become negative.
struct deduct_stamps {
  entity_id payment_id = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("paymentId", self.payment_id);
  }
};

using stamp_command = std::variant<add_stamps, earn_stamps, deduct_stamps>;

// Events. stampQty is the change, with its sign.

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

/// Zero if the payment has earned no stamps yet: the payment then never will.
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

/// The whole balance went to another account. The next event of the log is the other's
/// stamps_moved_in.
struct stamps_moved_out {
  static constexpr std::string_view event_type = "StampsMovedOut";
  std::string phone_number;
  std::string to_phone_number;
  std::int64_t stamp_qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("phoneNumber", self.phone_number);
    visit("toPhoneNumber", self.to_phone_number);
    visit("stampQty", self.stamp_qty);
  }
  bool operator==(const stamps_moved_out&) const = default;
};

struct stamps_moved_in {
  static constexpr std::string_view event_type = "StampsMovedIn";
  std::string phone_number;
  std::string from_phone_number;
  std::int64_t stamp_qty = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("phoneNumber", self.phone_number);
    visit("fromPhoneNumber", self.from_phone_number);
    visit("stampQty", self.stamp_qty);
  }
  bool operator==(const stamps_moved_in&) const = default;
};

using stamp_event =
    std::variant<stamps_added, stamps_earned, stamps_deducted, stamps_moved_out, stamps_moved_in>;

/// A line of an account's ledger, as stored and shown.
struct stamp_entry {
  version_number entry = 0;  ///< The account's version after the line: 1, 2, 3 …
  std::string kind;          ///< Type of the event.
  std::optional<entity_id> payment_id;
  std::int64_t stamp_qty = 0;
  std::string timestamp;
  std::optional<std::string> other_phone_number = {};  ///< The account moved to or from.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("entry", self.entry);
    visit("eventType", self.kind);
    visit("paymentId", self.payment_id);
    visit("stampQty", self.stamp_qty);
    visit("timestamp", self.timestamp);
    visit("otherPhoneNumber", self.other_phone_number);
  }
  bool operator==(const stamp_entry&) const = default;
};

}  // namespace skanu
