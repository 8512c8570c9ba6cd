// A probe of an address within a time limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace skanu {

/// Opens and closes a TCP connection; true if the connection opens in time. The name lookup is not
/// bounded by `limit`.
bool reachable(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace skanu
