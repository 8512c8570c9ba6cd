// The Host field of a request (RFC 9110, 7.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Returns the name in "name", "name:port" or "[v6]:port", without the brackets; nullopt where the
/// text is malformed or the port is beyond 65535. The name may be empty (RFC 3986, 3.2.2).
std::optional<std::string> host_name(std::string_view field);

}  // namespace skanu
