// Cross-origin resource sharing, as the operator chose it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skanu {

/// Whose pages a browser lets read answers and send changes. A page of the server's own needs no
/// permission for that.
struct cors_policy {
  enum class origins : std::uint8_t {
    own,     ///< No other site's.
    listed,  ///< Of those in `list`.
    every,   ///< As the original's gateway had it; never with credentials.
    none,    ///< A preflight is answered like any OPTIONS, even one from the own origin.
  };
  origins allowed = origins::own;
  std::vector<std::string> list;
};

}  // namespace skanu
