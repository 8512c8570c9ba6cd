#include "messages/dead_letter.hpp"

#include <charconv>

namespace skanu {

namespace {

/// Removes the number behind the last colon, with the colon, and returns it; nullopt without a
/// number.
std::optional<std::int64_t> take_last_number(std::string_view& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto digits = text.substr(colon + 1);
  text = text.substr(0, colon);
  std::int64_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string letter_name::text() const {
  return consumer + ':' + std::to_string(entity) + ':' + std::to_string(offset);
}

std::optional<letter_name> letter_named(std::string_view text) {
  const auto offset = take_last_number(text);
  const auto entity = take_last_number(text);
  if (!offset || !entity || text.empty()) return std::nullopt;
  return letter_name{std::string(text), *entity, *offset};
}

}  // namespace skanu
