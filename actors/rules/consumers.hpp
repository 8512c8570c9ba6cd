// The consumers and the logs that they follow. The names stand in stored rows: they never change.
#pragma once

#include <string_view>

#include "messages/values.hpp"

namespace skanu {

/// A policy, or the view in one of its logs.
struct consumer {
  std::string_view name;  ///< Names its durable position and its dead letters.
  service of;             ///< Whose entities it changes, and whose tables hold its position.
  service follows;
};

namespace consumers {

inline constexpr consumer order_follows_delivery{"order-follows-delivery", service::order,
                                                 service::delivery};
inline constexpr consumer payment_follows_order{"payment-follows-order", service::payment,
                                                service::order};
inline constexpr consumer payment_follows_delivery{"payment-follows-delivery", service::payment,
                                                   service::delivery};
inline constexpr consumer delivery_follows_payment{"delivery-follows-payment", service::delivery,
                                                   service::payment};
inline constexpr consumer delivery_follows_order{"delivery-follows-order", service::delivery,
                                                 service::order};
inline constexpr consumer stamp_follows_payment{"stamp-follows-payment", service::stamp,
                                                service::payment};
inline constexpr consumer trace_follows_order{"ordertrace-follows-order", service::ordertrace,
                                              service::order};
inline constexpr consumer trace_follows_payment{"ordertrace-follows-payment", service::ordertrace,
                                                service::payment};
inline constexpr consumer trace_follows_delivery{"ordertrace-follows-delivery", service::ordertrace,
                                                 service::delivery};

inline constexpr consumer all[] = {
    order_follows_delivery,   payment_follows_order,  payment_follows_delivery,
    delivery_follows_payment, delivery_follows_order, stamp_follows_payment,
    trace_follows_order,      trace_follows_payment,  trace_follows_delivery};

}  // namespace consumers

}  // namespace skanu
