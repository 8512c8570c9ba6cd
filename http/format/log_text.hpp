// Text of log lines from outside values. No CAF, no httplib.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// Writes a value in quotes, on a single line and in ASCII, so that no value passes for another
/// field or line.
std::string in_quotes(std::string_view value);

/// Returns the variable segment of a path, with a phone number masked even where an id belongs.
std::string without_phone(std::string_view segment, bool is_phone);

}  // namespace skanu
