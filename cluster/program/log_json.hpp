// Log lines as JSON objects. No CAF, no spdlog.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// Appends a log line's fields as members behind an open JSON object's other members. Fields are
/// `key=value` or `key="value"`, parted by blanks. A bare whole number of at most 15 digits becomes
/// a number, every other value a string; words without a key become the member "message". A name of
/// another member gets a number behind, such as "node_2". The result is valid JSON in UTF-8 for any
/// input.
void append_json_fields(std::string& out, std::string_view fields);

}  // namespace skanu
