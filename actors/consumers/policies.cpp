#include "actors/consumers/policies.hpp"

#include "actors/rules/consumers.hpp"
#include "actors/rules/decision.hpp"
#include "messages/event.hpp"

namespace skanu {

namespace {

/// The reaction that sends `c` to one entity of a region.
template <class Command, class Specific>
reaction command_to(const region_actor<Command>& region, entity_id target, Specific c) {
  return {target, [region, target, command = Command(std::move(c))](command_context r) {
            caf::anon_send(region, target, command, std::move(r));
          }};
}

/// The types of a few events.
template <class... Es>
std::vector<std::string> types_of() {
  return {std::string(Es::event_type)...};
}

/// Reads the event and hands it to the overload of `whenever` for its type.
template <class Event, class Whenever>
std::function<std::optional<reaction>(const nlohmann::json&)> reacting(Whenever whenever) {
  return [whenever](const nlohmann::json& body) {
    return std::visit([&](const auto& e) -> std::optional<reaction> { return whenever(e); },
                      decode_event<Event>(body));
  };
}

policy_definition policy_of(const consumer& who, std::vector<std::string> types,
                            std::function<std::optional<reaction>(const nlohmann::json&)> react) {
  return {std::string(who.name), who.of, who.follows, std::move(types), std::move(react)};
}

constexpr auto no_concern = [](const auto&) { return std::optional<reaction>(); };

}  // namespace

std::vector<policy_definition> order_policies(const order_region_actor& orders) {
  return {policy_of(
      consumers::order_follows_delivery, types_of<delivered>(),
      reacting<delivery_event>(overloaded{[orders](const delivered& e) -> std::optional<reaction> {
                                            return command_to(orders, e.order_id, close_order{});
                                          },
                                          no_concern}))};
}

std::vector<policy_definition> payment_policies(const payment_region_actor& payments) {
  return {
      policy_of(
          consumers::payment_follows_order, types_of<order_cancelled, order_rejected>(),
          reacting<order_event>(overloaded{
              [payments](const order_cancelled& e) -> std::optional<reaction> {
                return command_to(payments, e.id, cancel_payment{cancel_cause::order_cancelled});
              },
              [payments](const order_rejected& e) -> std::optional<reaction> {
                return command_to(payments, e.id, cancel_payment{cancel_cause::order_rejected});
              },
              no_concern})),
      policy_of(consumers::payment_follows_delivery, types_of<delivered>(),
                reacting<delivery_event>(
                    overloaded{[payments](const delivered& e) -> std::optional<reaction> {
                                 return command_to(payments, e.payment_id, close_payment{});
                               },
                               no_concern})),
  };
}

std::vector<policy_definition> delivery_policies(const delivery_region_actor& deliveries) {
  return {
      policy_of(consumers::delivery_follows_payment, types_of<paid, pay_cancelled>(),
                reacting<payment_event>(overloaded{
                    [deliveries](const paid& e) -> std::optional<reaction> {
                      return command_to(deliveries, e.id,
                                        prepare_delivery{e.details.product_id,
                                                         e.details.product_name, e.details.qty});
                    },
                    [deliveries](const pay_cancelled& e) -> std::optional<reaction> {
                      if (!e.refunded)
                        return std::nullopt;  // never paid, so nothing was or will be made
                      return command_to(deliveries, e.id, cancel_delivery{});
                    },
                    no_concern})),
      policy_of(consumers::delivery_follows_order, types_of<order_cancelled>(),
                reacting<order_event>(
                    overloaded{[deliveries](const order_cancelled& e) -> std::optional<reaction> {
                                 return command_to(deliveries, e.id, cancel_delivery{});
                               },
                               no_concern})),
  };
}

std::vector<policy_definition> stamp_policies(const stamp_region_actor& stamps) {
  return {policy_of(consumers::stamp_follows_payment, types_of<paid, pay_cancelled>(),
                    reacting<payment_event>(
                        overloaded{[stamps](const paid& e) -> std::optional<reaction> {
                                     if (!e.phone_number) return std::nullopt;
                                     return command_to(stamps, account_id_of(*e.phone_number),
                                                       earn_stamps{e.id, e.details.qty});
                                   },
                                   [stamps](const pay_cancelled& e) -> std::optional<reaction> {
                                     if (!e.phone_number || !e.refunded) return std::nullopt;
                                     return command_to(stamps, account_id_of(*e.phone_number),
                                                       deduct_stamps{e.id});
                                   },
                                   no_concern}))};
}

}  // namespace skanu
