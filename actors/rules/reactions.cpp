#include "actors/rules/reactions.hpp"

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

/// The line that reads an event of one type and asks `React`, a lambda without captures that takes
/// the event, and perhaps its time.
template <class Event, class React>
constexpr rule whenever(const consumer& who, React) {
  return {who, Event::event_type, [](const nlohmann::json& event, [[maybe_unused]] instant at) {
            if constexpr (std::invocable<React, Event, instant>)
              return React{}(from_json<Event>(event), at);
            else
              return React{}(from_json<Event>(event));
          }};
}

reaction nothing() { return {}; }
reaction to_order(entity_id id, order_command c) { return addressed_command{id, std::move(c)}; }
reaction to_payment(entity_id id, payment_command c) { return addressed_command{id, std::move(c)}; }
reaction to_delivery(entity_id id, delivery_command c) {
  return addressed_command{id, std::move(c)};
}
reaction to_stamps(std::string_view phone, stamp_command c) {
  return addressed_command{account_id_of(phone), c};
}

constexpr rule table[] = {
    whenever<delivered>(
        consumers::order_follows_delivery,
        [](const delivered& e, instant at) { return to_order(e.order_id, close_order{at}); }),

    whenever<order_cancelled>(consumers::payment_follows_order,
                              [](const order_cancelled& e) {
                                return to_payment(e.id,
                                                  cancel_payment{cancel_cause::order_cancelled});
                              }),
    whenever<order_rejected>(consumers::payment_follows_order,
                             [](const order_rejected& e) {
                               return to_payment(e.id,
                                                 cancel_payment{cancel_cause::order_rejected});
                             }),
    whenever<delivered>(
        consumers::payment_follows_delivery,
        [](const delivered& e, instant at) { return to_payment(e.payment_id, close_payment{at}); }),

    whenever<paid>(consumers::delivery_follows_payment,
                   [](const paid& e) {
                     const auto& bought = e.details;
                     return to_delivery(e.id, prepare_delivery{bought.product_id,
                                                               bought.product_name, bought.qty});
                   }),
    whenever<pay_cancelled>(consumers::delivery_follows_payment,
                            [](const pay_cancelled& e) {
                              if (!e.refunded) return nothing();  // nothing was or will be made
                              return to_delivery(e.id, cancel_delivery{});
                            }),
    whenever<order_cancelled>(
        consumers::delivery_follows_order,
        [](const order_cancelled& e) { return to_delivery(e.id, cancel_delivery{}); }),

    whenever<paid>(consumers::stamp_follows_payment,
                   [](const paid& e) {
                     if (!e.phone_number) return nothing();
                     return to_stamps(*e.phone_number, earn_stamps{e.id, e.details.qty});
                   }),
    whenever<pay_cancelled>(consumers::stamp_follows_payment,
                            [](const pay_cancelled& e) {
                              if (!e.phone_number || !e.refunded) return nothing();
                              return to_stamps(*e.phone_number, deduct_stamps{e.id});
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
