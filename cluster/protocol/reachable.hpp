// A probe of an address within a time limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>

namespace skanu {

/// Opens and closes a TCP connection. Returns no error if the connection opens in time, else the
/// reason of the last address tried. The name lookup is not bounded by `limit`.
std::error_code why_unreachable(const std::string& host, std::uint16_t port,
                                std::chrono::milliseconds limit);

/// Returns whether there is no such reason.
bool reachable(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace skanu
