// How two nodes recognise each other: both run the same protocol version and know the same secret.
//
//   connector → acceptor   hello: protocol version, name, incarnation, a nonce, the cluster's
//   identity acceptor → connector   hello of its own, in the lower of both protocol versions
//   connector → acceptor   a proof of the secret over both hellos; nothing but this short exchange
//   is kept
//                   of whoever has none
//   acceptor → connector   a proof likewise, and handles of the actors for that peer; from here on
//   each
//                   takes the other's calls
//
// In version 3 the acceptor's proof came with its hello. A connector that only a acceptor of
// version 3 answers speaks that, too.
//
// The proof is HMAC-SHA256 under the cluster's secret (RFC 2104), over who proves it and both
// hellos, so that no answer of one handshake is good in another one. It keeps clusters apart; it is
// no encryption: beyond loopback nodes talk over mutual TLS.
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
  std::string name;               ///< The node's.
  std::uint64_t incarnation = 0;  ///< Differs from one run of the node to the next.
  std::string nonce;
  // From version 4 on:
  std::string cluster = {};     ///< The cluster's identity; empty where the node has none yet.
  order_knowledge orders = {};  ///< As far as the node's databases know.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("protocol", self.protocol);
    visit("name", self.name);
    visit("incarnation", self.incarnation);
    visit("nonce", self.nonce);
    visit("cluster", self.cluster, since_protocol{4});
    visit("orders", self.orders, since_protocol{4});
  }
};

/// Letters, digits and . , - _ only, 1 to 100 of them: what may stand in a log line.
bool is_node_name(std::string_view text);

enum class proving_side : std::uint8_t { acceptor, connector };

/// True for a protocol version that this program speaks.
bool is_spoken(std::uint32_t protocol);

/// A hello of this node with a nonce of its own.
hello make_hello(std::string name, std::uint64_t incarnation);

std::string encode(const hello& h);

/// Only the protocol version is read of a hello that is not spoken. Throws decode_error.
hello decode_hello(std::string_view bytes);

std::string proof_of(std::string_view secret, proving_side by, const hello& connector,
                     const hello& acceptor);

/// Compares in constant time.
bool is_proof(std::string_view given, std::string_view secret, proving_side by,
              const hello& connector, const hello& acceptor);

}  // namespace skanu
