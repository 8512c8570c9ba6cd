// Cross-origin resource sharing, as chosen by the operator.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skanu {

/// Sites with permission to read answers and send changes in a browser. The server's own pages need
/// no permission.
struct cors_policy {
  enum class origins : std::uint8_t {
    own,     ///< No other site.
    listed,  ///< The sites in `list`.
    every,   ///< Every site, as in the original's gateway; never with credentials.
    none,    ///< No site. A preflight is answered like any OPTIONS, even from the own origin.
  };
  origins allowed = origins::own;
  std::vector<std::string> list;
};

}  // namespace skanu
