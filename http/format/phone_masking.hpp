// Masks phone numbers in stored JSON, for operators.
#pragma once

#include <nlohmann/json.hpp>

namespace skanu {

/// Masks the members named phoneNumber, and digits like a phone number's in any other text but a
/// time. JSON numbers stay: ids and money.
void mask_phones(nlohmann::ordered_json& value);

}  // namespace skanu
