// Whether anybody listens at an address, found out within a limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace skanu {

/// True where a TCP connection comes about in time; it is closed at once. Looking up the name is
/// not bounded by `limit`.
bool reachable(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace skanu
