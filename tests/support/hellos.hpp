// Hellos of made-up nodes, and proofs over them.
#pragma once

#include "cluster/protocol/handshake.hpp"

namespace skanu {

inline std::string proof_of(std::string_view secret, proving_side by, const hello& connector,
                            const hello& acceptor) {
  return proof_of(secret, by, encode(connector), encode(acceptor));
}

inline bool is_proof(std::string_view given, std::string_view secret, proving_side by,
                     const hello& connector, const hello& acceptor) {
  return is_proof(given, secret, by, encode(connector), encode(acceptor));
}

/// A hello in a version that this program does not speak.
inline hello foreign_hello(std::string name) {
  hello h{protocol_version + 1, std::move(name), 1, "nonce"};
  h.oldest = protocol_version + 1;
  return h;
}

}  // namespace skanu
