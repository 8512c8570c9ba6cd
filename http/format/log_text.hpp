// Values from outside as log lines show them. No CAF, no httplib.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// In quotes, on one line and in ASCII, so that no value can pass for another field or line.
std::string in_quotes(std::string_view value);

/// The variable segment of a path: a phone number is masked even where an id belongs.
std::string without_phone(std::string_view segment, bool is_phone);

}  // namespace skanu
