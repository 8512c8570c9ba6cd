// How two nodes recognise each other: both run the same protocol version and know the same secret.
//
//   dialer → door   hello: protocol version, name, incarnation, a nonce
//   door → dialer   hello of its own, and a proof of the secret over both nonces
//   dialer → door   a proof likewise; nothing but this short exchange is kept of whoever has none
//   door → dialer   handles of the actors for that peer; from here on each takes the other's calls
//
// The proof is HMAC-SHA256 under the cluster's secret (RFC 2104), over who proves it and both
// hellos, so that no answer of one handshake is good in another one. It keeps clusters apart; it is
// no encryption: beyond loopback nodes talk over mutual TLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Changes with every change of what nodes say to each other (wire.hpp, links.hpp).
inline constexpr std::uint32_t protocol_version = 3;

struct hello {
  std::uint32_t protocol = protocol_version;
  std::string name;               ///< The node's.
  std::uint64_t incarnation = 0;  ///< Differs from one run of the node to the next.
  std::string nonce;
};

/// Letters, digits and . , - _ only, 1 to 100 of them: what may stand in a log line.
bool is_node_name(std::string_view text);

enum class proving_side : std::uint8_t { door, dialer };

/// A hello of this node with a nonce of its own.
hello make_hello(std::string name, std::uint64_t incarnation);

std::string encode(const hello& h);

/// Only the protocol version is read of a hello of another version. Throws decode_error.
hello decode_hello(std::string_view bytes);

std::string proof_of(std::string_view secret, proving_side by, const hello& dialer,
                     const hello& door);

/// Compares in constant time.
bool is_proof(std::string_view given, std::string_view secret, proving_side by, const hello& dialer,
              const hello& door);

}  // namespace skanu
