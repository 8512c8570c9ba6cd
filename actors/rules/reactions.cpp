#include "actors/rules/reactions.hpp"

#include <concepts>
#include <optional>
#include <utility>

#include "messages/event.hpp"

namespace skanu {

namespace {

using reaction = std::optional<addressed_command>;

/// A line of the table.
struct rule {
  const consumer& who;
  std::string_view type;
  reaction (*react)(const nlohmann::json& event, instant at);
};

/// A typed command with a target.
template <class Command>
struct addressed {
  using command_type = Command;
  entity_id id = 0;
  Command command;
};
using to_order = addressed<order_command>;
using to_payment = addressed<payment_command>;
using to_delivery = addressed<delivery_command>;
using to_stamps = addressed<stamp_command>;

/// Calls a lambda with an event and, if accepted, the event's time.
template <class React, class Event>
auto reaction_to(const Event& event, instant at) {
  if constexpr (std::invocable<React, Event, instant>)
    return std::optional(React{}(event, at));
  else
    return std::optional(React{}(event));
}

/// Returns a line for a type of event. `React`, a lambda without captures, returns a command for
/// the consumer's own service, or an optional command.
template <class Event, const consumer& Who, class React>
constexpr rule whenever(React) {
  using command = typename decltype(reaction_to<React>(Event{}, {}))::value_type::command_type;
  static_assert(service_of<command>() == Who.of, "a consumer commands its own service's entities");
  return {Who, Event::event_type, [](const nlohmann::json& event, instant at) -> reaction {
            auto c = reaction_to<React>(from_json<Event>(event), at);
            if (!c) return {};
            return addressed_command{c->id, std::move(c->command)};
          }};
}

constexpr rule table[] = {
    whenever<delivered, consumers::order_follows_delivery>([](const delivered& e, instant at) {
      return to_order{e.order_id, close_order{at}};
    }),

    whenever<order_cancelled, consumers::payment_follows_order>([](const order_cancelled& e) {
      return to_payment{e.id, cancel_payment{cancel_cause::order_cancelled}};
    }),
    whenever<order_rejected, consumers::payment_follows_order>([](const order_rejected& e) {
      return to_payment{e.id, cancel_payment{cancel_cause::order_rejected}};
    }),
    whenever<delivered, consumers::payment_follows_delivery>([](const delivered& e, instant at) {
      return to_payment{e.payment_id, close_payment{at}};
    }),

    whenever<paid, consumers::delivery_follows_payment>([](const paid& e) {
      const auto& bought = e.details;
      return to_delivery{e.id,
                         prepare_delivery{bought.product_id, bought.product_name, bought.qty}};
    }),
    whenever<pay_cancelled, consumers::delivery_follows_payment>(
        [](const pay_cancelled& e) -> std::optional<to_delivery> {
          if (!e.refunded) return {};  // only a paid payment gets a delivery
          return to_delivery{e.id, cancel_delivery{}};
        }),
    whenever<order_cancelled, consumers::delivery_follows_order>([](const order_cancelled& e) {
      return to_delivery{e.id, cancel_delivery{}};
    }),

    whenever<paid, consumers::stamp_follows_payment>([](const paid& e) -> std::optional<to_stamps> {
      if (!e.phone_number) return {};
      return to_stamps{account_id_of(*e.phone_number), earn_stamps{e.id, e.details.qty}};
    }),
    whenever<pay_cancelled, consumers::stamp_follows_payment>(
        [](const pay_cancelled& e) -> std::optional<to_stamps> {
          if (!e.phone_number || !e.refunded) return {};
          return to_stamps{account_id_of(*e.phone_number), deduct_stamps{e.id}};
        }),
};

}  // namespace

std::vector<std::string> types_of(const consumer& who) {
  std::vector<std::string> types;
  for (const auto& r : table)
    if (r.who.name == who.name) types.emplace_back(r.type);
  return types;
}

std::optional<addressed_command> react(const consumer& who, const nlohmann::json& event) {
  const auto header = header_of(event);
  for (const auto& r : table)
    if (r.who.name == who.name && r.type == header.type) return r.react(event, header.at);
  return std::nullopt;
}

}  // namespace skanu
