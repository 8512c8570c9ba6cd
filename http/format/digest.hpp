// SHA-256, computed by OpenSSL.
#pragma once

#include <array>
#include <string_view>

namespace skanu {

/// Throws std::runtime_error where OpenSSL offers no SHA-256.
std::array<unsigned char, 32> sha256(std::string_view bytes);

}  // namespace skanu
