// Durations in the notation of operators.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace skanu {

/// Parses "400ms" or "1.5s", at most a day; nullopt for any other text.
std::optional<std::chrono::milliseconds> duration_in(std::string_view text);

}  // namespace skanu
