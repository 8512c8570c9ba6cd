// Dates and times that clients write (RFC 3339).
#pragma once

#include <optional>
#include <string_view>

#include "messages/values.hpp"

namespace skanu {

/// A date alone, in UTC, stands for its first moment, or for the first moment of the day after.
enum class date_means { start, end };

/// Reads "2026-11-30" or "2026-11-30T09:00:00.5+09:00": any fraction of a second, cut to
/// milliseconds, and Z or an offset. A blank in the offset's place of the sign counts as a plus,
/// since a plus that was not encoded in a query arrives as a blank. nullopt for other texts.
std::optional<instant> time_of(std::string_view text, date_means meaning);

}  // namespace skanu
