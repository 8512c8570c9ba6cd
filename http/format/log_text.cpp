#include "http/format/log_text.hpp"

#include "http/format/request_fields.hpp"
#include "messages/values.hpp"

namespace skanu {

std::string in_quotes(std::string_view value) {
  constexpr char hex[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e) {
      text += "\\x";
      text += hex[byte >> 4];
      text += hex[byte & 15];
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text += '"';
}

std::string without_phone(std::string_view segment, bool is_phone) {
  if (is_phone || (!id_of(segment) && normalised_phone(segment))) return masked_phone(segment);
  return std::string(segment);
}

}  // namespace skanu
