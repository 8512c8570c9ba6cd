#include "cluster/protocol/handshake.hpp"

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace skanu {

hello make_hello(std::string name, std::uint64_t incarnation) {
  hello h{.name = std::move(name), .incarnation = incarnation, .nonce = std::string(16, '\0')};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(h.nonce.data()),
                 static_cast<int>(h.nonce.size())) != 1)
    throw std::runtime_error("no random bytes are available");
  return h;
}

bool is_spoken(std::uint32_t protocol) {
  return protocol >= oldest_protocol_version && protocol <= protocol_version;
}

bool is_node_name(std::string_view text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-_";
  return !text.empty() && text.size() <= 100 && text.find_first_not_of(allowed) == text.npos;
}

std::string encode(const hello& h) { return to_wire(h, h.protocol); }

hello decode_hello(std::string_view bytes) {
  hello h;
  wire_reader front(bytes);
  front.get(h.protocol);
  if (!is_spoken(h.protocol)) return h;
  return from_wire<hello>(bytes, h.protocol);
}

std::string proof_of(std::string_view secret, proving_side by, const hello& connector,
                     const hello& acceptor) {
  const auto text = std::string(by == proving_side::acceptor ? "door" : "dialer") +
                    encode(connector) + encode(acceptor);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &size) == nullptr)
    throw std::runtime_error("HMAC-SHA256 is not available");
  return {reinterpret_cast<const char*>(digest.data()), size};
}

bool is_proof(std::string_view given, std::string_view secret, proving_side by,
              const hello& connector, const hello& acceptor) {
  const auto expected = proof_of(secret, by, connector, acceptor);
  return given.size() == expected.size() &&
         CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

}  // namespace skanu
