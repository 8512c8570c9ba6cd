// Stored JSON as operators see it: without anybody's whole phone number.
#pragma once

#include <nlohmann/json.hpp>

namespace skanu {

/// Masks the members named phoneNumber, and what looks like a phone number in any other text but a
/// time. Numbers stay: ids and money.
void mask_phones(nlohmann::ordered_json& value);

}  // namespace skanu
