#include "http/format/host_field.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace skanu {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// RFC 3986, 3.2.2: unreserved, sub-delims, and percent-encoded octets.
bool is_registered_name(std::string_view name) {
  constexpr std::string_view signs = "-._~!$&'()*+,;=";
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '%') {
      if (i + 2 >= name.size() || !is_hex_digit(name[i + 1]) || !is_hex_digit(name[i + 2]))
        return false;
      i += 2;
    } else if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
               signs.find(c) == signs.npos) {
      return false;
    }
  }
  return true;
}

bool is_address_of_version_6(const std::string& text) {
  in6_addr any{};
  return ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

/// "" or ":" with up to 65535 or nothing behind.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != ':' || !std::ranges::all_of(text.substr(1), is_digit)) return false;
  long number = 0;
  for (const char digit : text.substr(1)) number = std::min(10 * number + digit - '0', 65536L);
  return number <= 65535;
}

}  // namespace

std::optional<std::string> host_name(std::string_view field) {
  const bool bracket = field.starts_with('[');
  const auto end = std::min(field.find(bracket ? ']' : ':'), field.size());
  if (bracket && end == field.size()) return std::nullopt;
  const std::string name(field.substr(bracket, end - bracket));
  if (!is_port(field.substr(end + bracket))) return std::nullopt;
  if (bracket ? !is_address_of_version_6(name) : !is_registered_name(name)) return std::nullopt;
  return name;
}

}  // namespace skanu
