// The list of the entity types, by the types of their commands.
#pragma once

#include <variant>

#include "messages/delivery.hpp"
#include "messages/order.hpp"
#include "messages/payment.hpp"
#include "messages/stamp.hpp"

namespace skanu {

/// A command to an entity of any type. A new entity type takes an alternative here and its service
/// below.
using any_command = std::variant<order_command, payment_command, delivery_command, stamp_command>;

/// Returns the service whose entities take the command.
template <class Command>
consteval service service_of();
template <>
consteval service service_of<order_command>() {
  return service::order;
}
template <>
consteval service service_of<payment_command>() {
  return service::payment;
}
template <>
consteval service service_of<delivery_command>() {
  return service::delivery;
}
template <>
consteval service service_of<stamp_command>() {
  return service::stamp;
}

}  // namespace skanu
