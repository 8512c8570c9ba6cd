#include "cluster/peers/tls_sessions.hpp"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <mutex>

#include "cluster/protocol/certificate.hpp"
#include "cluster/protocol/refusal_log.hpp"

namespace skanu {

namespace {

struct sessions {
  std::mutex mutex;
  std::map<int, SSL*> by_descriptor;
  refusal_log refusals;
};

/// Lives for ever: OpenSSL's functions may run before and after all other code.
sessions& all() {
  static auto* const made = new sessions;
  return *made;
}

std::string address_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  const auto* peer = reinterpret_cast<const sockaddr*>(&address);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      ::getnameinfo(peer, length, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return "unknown";
  return host.data();
}

}  // namespace

void note_session(SSL* session, int descriptor) {
  const std::lock_guard lock(all().mutex);
  all().by_descriptor[descriptor] = session;
}

void forget_session(SSL* session) {
  const std::lock_guard lock(all().mutex);
  std::erase_if(all().by_descriptor, [&](const auto& each) { return each.second == session; });
}

std::optional<std::vector<std::string>> names_of_peer(int descriptor) {
  const std::lock_guard lock(all().mutex);
  const auto found = all().by_descriptor.find(descriptor);
  if (found == all().by_descriptor.end()) return std::nullopt;
  auto* shown = ::SSL_get0_peer_certificate(found->second);
  if (shown == nullptr) return std::nullopt;
  return names_in(shown);
}

void note_failure(const SSL* session) {
  const auto error = ::ERR_peek_error();
  // A mere probe of the port causes no log line.
  if (error == 0 || ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return;
  const auto verified = ::SSL_get_verify_result(session);
  const auto* said = ::ERR_reason_error_string(error);
  std::string reason;
  if (verified != X509_V_OK) {
    reason = std::string("its certificate: ") + ::X509_verify_cert_error_string(verified);
  } else if (ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET) {
    reason = std::string("it refuses our TLS: ") + (said ? said : "unknown alert");
  } else {
    reason = std::string("its TLS: ") + (said ? said : "unknown error");
  }
  const std::lock_guard lock(all().mutex);
  all().refusals.say(address_of(::SSL_get_fd(session)), reason, std::chrono::steady_clock::now());
}

}  // namespace skanu
