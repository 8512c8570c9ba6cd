// Mutual recognition of two nodes: both speak a common protocol version and know the same secret.
//
//   connector → acceptor   hello: protocol version, name, incarnation, nonce, cluster's identity
//   acceptor → connector   the acceptor's hello, in the lower of both protocol versions
//   connector → acceptor   a proof of the secret over both hellos
//   acceptor → connector   a proof likewise, and handles of the actors for the connector
//
// After the last step each side accepts the other's calls. The acceptor keeps no other state for a
// connector without a proof than the open exchange.
//
// In version 3 the acceptor's proof comes with the acceptor's hello. A connector speaks version 3
// with an acceptor of version 3.
//
// The proof is HMAC-SHA256 under the cluster's secret (RFC 2104), over the proving side and both
// hellos, so that an answer of one handshake is worthless in another. The proof keeps clusters
// apart and encrypts no traffic: beyond loopback nodes talk over mutual TLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/protocol/wire_format.hpp"
#include "messages/log.hpp"

namespace skanu {

struct hello {
  std::uint32_t protocol = protocol_version;
  std::string name;               ///< Name of the node.
  std::uint64_t incarnation = 0;  ///< Differs between two runs of the node.
  std::string nonce;
  // Only in version 4 and later:
  std::string cluster = {};     ///< Identity of the cluster; empty for a node without an identity.
  order_knowledge orders = {};  ///< Knowledge in the node's databases.
};

/// True for 1 to 100 letters, digits and . , - _ only: such a name is safe in a log line.
bool is_node_name(std::string_view text);

enum class proving_side : std::uint8_t { acceptor, connector };

/// True for a protocol version of this program.
bool is_spoken(std::uint32_t protocol);

/// Returns the node's hello with a new nonce.
hello make_hello(std::string name, std::uint64_t incarnation);

std::string encode(const hello& h);

/// Decodes a hello, or only the protocol version of an unknown version. Throws decode_error.
hello decode_hello(std::string_view bytes);

std::string proof_of(std::string_view secret, proving_side by, const hello& connector,
                     const hello& acceptor);

/// Compares in constant time.
bool is_proof(std::string_view given, std::string_view secret, proving_side by,
              const hello& connector, const hello& acceptor);

}  // namespace skanu
