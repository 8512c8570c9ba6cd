// The countries with known phone numbers.
#pragma once

#include <string>

namespace skanu {

/// ISO 3166 names, parted by blanks.
std::string phone_country_names();

}  // namespace skanu
