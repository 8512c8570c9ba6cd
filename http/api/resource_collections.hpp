// The five collections of the REST API.
#pragma once

#include "http/api/collections.hpp"

namespace skanu {

extern const collection order_collection;
extern const collection payment_collection;
extern const collection delivery_collection;
extern const collection stamp_collection;
extern const collection trace_collection;

}  // namespace skanu
