// Each consumer follows a log. Names of consumers never change: stored rows contain the names.
#pragma once

#include <string_view>

#include "messages/values.hpp"

namespace skanu {

/// A policy, or the trace view as the follower of a single log.
struct consumer {
  std::string_view name;  ///< Names the durable position and the dead letters.
  service of;             ///< The service with the changed entities and the stored position.
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
