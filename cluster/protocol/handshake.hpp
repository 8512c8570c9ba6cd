// Mutual recognition of two nodes: both speak a common protocol version and know the same secret.
//
//   connector → acceptor   hello: protocol versions, name, services, incarnation, nonce, cluster
//   acceptor → connector   the acceptor's hello, in the newest version spoken by both
//   connector → acceptor   a proof of the secret over both hellos
//   acceptor → connector   a proof likewise, and handles of the actors for the connector
//
// After the last step each side accepts the other's calls. The acceptor keeps no other state for a
// connector without a proof than the open exchange.
//
// A hello of a newer version may end with fields unknown here; the fields are skipped. Acceptors of
// versions 3 and 4 refuse every other version, so a connector tries the next older version after
// each such refusal. In version 3 the acceptor's proof comes with the acceptor's hello.
//
// The proof is HMAC-SHA256 under the cluster's secret (RFC 2104), over the proving side and the
// bytes of both hellos, so that an answer of one handshake is worthless in another. The proof keeps
// clusters apart and encrypts no traffic: beyond loopback nodes talk over mutual TLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  // Only in version 5 and later:
  std::uint32_t oldest = oldest_protocol_version;  ///< The oldest version spoken by the node.
  std::vector<std::string> services = {};          ///< Names; perhaps of services unknown here.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("protocol", self.protocol);
    visit("name", self.name);
    visit("incarnation", self.incarnation);
    visit("nonce", self.nonce);
    visit("cluster", self.cluster, since_protocol{4});
    visit("orders", self.orders, since_protocol{4});
    visit("oldest", self.oldest, since_protocol{5});
    visit("services", self.services, since_protocol{5});
  }
};

/// True if the node runs all the services; false for a node that does not list its services.
bool runs(const hello& node, const std::vector<service>& services);

/// Returns the newest protocol version spoken by both sides; nullopt without a common version.
std::optional<std::uint32_t> common_version(const hello& peer);

/// True for 1 to 100 letters, digits and . , - _ only: such a name is safe in a log line.
bool is_node_name(std::string_view text);

enum class proving_side : std::uint8_t { acceptor, connector };

/// Returns the node's hello with a new nonce.
hello make_hello(std::string name, std::uint64_t incarnation);

std::string encode(const hello& h);

/// Decodes a hello, or only the protocol version of a version too old. Throws decode_error.
hello decode_hello(std::string_view bytes);

/// Returns the proof over both encoded hellos.
std::string proof_of(std::string_view secret, proving_side by, std::string_view connector,
                     std::string_view acceptor);

/// Compares in constant time.
bool is_proof(std::string_view given, std::string_view secret, proving_side by,
              std::string_view connector, std::string_view acceptor);

}  // namespace skanu
