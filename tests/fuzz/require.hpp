// The demand of fuzz targets.
#pragma once

#include <cstdlib>

/// Ends the process, for libFuzzer to report, where the demand does not hold.
inline void require(bool holds) {
  if (!holds) std::abort();
}
