#include "actors/operations/duration.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace skanu {

std::optional<std::chrono::milliseconds> duration_in(std::string_view text) {
  constexpr double longest_ms = 86'400'000;
  double unit = 0;
  if (text.ends_with("ms")) {
    unit = 1;
    text.remove_suffix(2);
  } else if (text.ends_with("s")) {
    unit = 1000;
    text.remove_suffix(1);
  }
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = problem == std::errc{} && end == text.data() + text.size();
  if (unit == 0 || !whole || !std::isfinite(value) || value < 0 || value * unit > longest_ms)
    return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * unit));
}

}  // namespace skanu
