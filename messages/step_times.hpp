// The times of an order's steps, as far as a resource knows them. Each is the time of the event
// that made the step. Unset: the step was not made, or a version of the program that kept no times
// stored the event.
#pragma once

#include <optional>

#include "messages/values.hpp"

namespace skanu {

struct order_times {
  std::optional<instant> ordered_at, delivered_at, cancelled_at;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("orderedAt", self.ordered_at);
    visit("deliveredAt", self.delivered_at);
    visit("cancelledAt", self.cancelled_at);
  }
  bool operator==(const order_times&) const = default;
};

struct payment_times {
  std::optional<instant> ordered_at, paid_at, delivered_at, cancelled_at;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("orderedAt", self.ordered_at);
    visit("paidAt", self.paid_at);
    visit("deliveredAt", self.delivered_at);
    visit("cancelledAt", self.cancelled_at);
  }
  bool operator==(const payment_times&) const = default;
};

struct delivery_times {
  std::optional<instant> ready_at, delivered_at, cancelled_at;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("readyAt", self.ready_at);
    visit("deliveredAt", self.delivered_at);
    visit("cancelledAt", self.cancelled_at);
  }
  bool operator==(const delivery_times&) const = default;
};

/// `changed_at` is the time of the step that the trace shows.
struct trace_times {
  std::optional<instant> ordered_at, changed_at;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("orderedAt", self.ordered_at);
    visit("changedAt", self.changed_at);
  }
  bool operator==(const trace_times&) const = default;
};

}  // namespace skanu
