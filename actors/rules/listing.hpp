// The rules of each service read the listing of a document. Pure.
#pragma once

#include <string_view>

#include "persistence/store.hpp"

namespace skanu {

/// Throws decode_error.
listing listing_in(service s, std::string_view document);

}  // namespace skanu
