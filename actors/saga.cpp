#include "actors/saga.hpp"

#include "actors/rules/decision.hpp"
#include "persistence/event.hpp"

namespace skanu {

namespace {

/// The reaction that sends `c` to one entity of a region.
template <class Command, class Specific>
reaction command_to(const region_actor<Command>& region, entity_id target, Specific c) {
  return {target, [region, target, command = Command(std::move(c))](request r) {
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

constexpr auto no_concern = [](const auto&) { return std::optional<reaction>(); };

}  // namespace

std::vector<policy_definition> order_policies(const order_region_actor& orders) {
  return {{"order-follows-delivery", service::order, service::delivery, types_of<delivered>(),
           reacting<delivery_event>(overloaded{
               [orders](const delivered& e) -> std::optional<reaction> {
                 return command_to(orders, e.order_id, close_order{});
               },
               no_concern})}};
}

std::vector<policy_definition> payment_policies(const payment_region_actor& payments) {
  return {
      {"payment-follows-order", service::payment, service::order,
       types_of<order_cancelled, order_rejected>(),
       reacting<order_event>(overloaded{
           [payments](const order_cancelled& e) -> std::optional<reaction> {
             return command_to(payments, e.id, cancel_payment{cancel_cause::order_cancelled});
           },
           [payments](const order_rejected& e) -> std::optional<reaction> {
             return command_to(payments, e.id, cancel_payment{cancel_cause::order_rejected});
           },
           no_concern})},
      {"payment-follows-delivery", service::payment, service::delivery, types_of<delivered>(),
       reacting<delivery_event>(overloaded{
           [payments](const delivered& e) -> std::optional<reaction> {
             return command_to(payments, e.payment_id, close_payment{});
           },
           no_concern})},
  };
}

std::vector<policy_definition> delivery_policies(const delivery_region_actor& deliveries) {
  return {
      {"delivery-follows-payment", service::delivery, service::payment,
       types_of<paid, pay_cancelled>(),
       reacting<payment_event>(overloaded{
           [deliveries](const paid& e) -> std::optional<reaction> {
             return command_to(deliveries, e.id,
                               prepare_delivery{e.details.product_id, e.details.product_name,
                                                e.details.qty});
           },
           [deliveries](const pay_cancelled& e) -> std::optional<reaction> {
             if (!e.refunded) return std::nullopt;  // never paid, so nothing was or will be made
             return command_to(deliveries, e.id, cancel_delivery{});
           },
           no_concern})},
      {"delivery-follows-order", service::delivery, service::order, types_of<order_cancelled>(),
       reacting<order_event>(overloaded{
           [deliveries](const order_cancelled& e) -> std::optional<reaction> {
             return command_to(deliveries, e.id, cancel_delivery{});
           },
           no_concern})},
  };
}

std::vector<policy_definition> stamp_policies(const stamp_region_actor& stamps) {
  return {{"stamp-follows-payment", service::stamp, service::payment,
           types_of<paid, pay_cancelled>(),
           reacting<payment_event>(overloaded{
               [stamps](const paid& e) -> std::optional<reaction> {
                 if (!e.phone_number) return std::nullopt;
                 return command_to(stamps, account_id_of(*e.phone_number),
                                   earn_stamps{e.id, e.details.qty});
               },
               [stamps](const pay_cancelled& e) -> std::optional<reaction> {
                 if (!e.phone_number || !e.refunded) return std::nullopt;
                 return command_to(stamps, account_id_of(*e.phone_number), deduct_stamps{e.id});
               },
               no_concern})}};
}

}  // namespace skanu
