// SHA-256, of idempotency keys and of what is served unchanged.
#pragma once

#include <array>
#include <string_view>

namespace skanu {

/// Throws std::runtime_error where OpenSSL does not offer it.
std::array<unsigned char, 32> sha256(std::string_view bytes);

}  // namespace skanu
