// Whether anybody listens at an address, found out within a limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>

namespace skanu {

/// No error where a TCP connection comes about in time; it is closed at once. Otherwise the reason
/// of the last address that was tried. Looking up the name is not bounded by `limit`.
std::error_code why_unreachable(const std::string& host, std::uint16_t port,
                                std::chrono::milliseconds limit);

/// Whether there is no such reason.
bool reachable(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace skanu
