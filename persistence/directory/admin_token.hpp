// The operators' token for /admin on the clients' listener: the first line of the file admin.token,
// mode 0600, in the data directory.
#pragma once

#include <optional>
#include <string>

namespace skanu {

inline constexpr std::size_t shortest_admin_token = 32;

/// Returns the token. Throws std::runtime_error if the file is unreadable or others may read the
/// file, or the token is too short.
std::string read_admin_token(const std::string& data);

/// Returns the node's token, and creates a missing token from 256 random bits. A token that cannot
/// be created or trusted does not stop the node: the log names the reason, and no token is
/// accepted.
std::optional<std::string> admin_token_at_start(const std::string& data);

}  // namespace skanu
