// Orders that many tests place.
#pragma once

#include "messages/order.hpp"

namespace skanu {

inline const order_details coffee{7, "Coffee", 2, 9'000, "card"};
inline const order_details tea{8, "Tea", 1, 4'000, "cash"};

}  // namespace skanu
