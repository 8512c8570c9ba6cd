// The listing of any service's document, as its rules have it. Pure.
#pragma once

#include <string_view>

#include "persistence/store.hpp"

namespace skanu {

/// Throws decode_error.
listing listing_in(service s, std::string_view document);

}  // namespace skanu
