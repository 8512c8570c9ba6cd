// The token that lets operators into /admin on the clients' listener: the first line of the file
// admin.token, mode 0600, in the data directory.
#pragma once

#include <optional>
#include <string>

namespace skanu {

inline constexpr std::size_t shortest_admin_token = 32;

/// Throws std::runtime_error where it cannot be read, others may read it, or it is too short.
std::string read_admin_token(const std::string& data);

/// The node's token, made of 256 random bits where there is none yet. A token that cannot be made
/// or trusted leaves orders alone: the log says why, and nobody is let in by token.
std::optional<std::string> admin_token_at_start(const std::string& data);

}  // namespace skanu
