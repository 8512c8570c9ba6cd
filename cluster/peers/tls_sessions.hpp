// The TLS sessions below CAF's connections. CAF shows nothing of them, neither the certificate of
// the other side nor why a handshake failed; openssl_errors.cpp, which stands before OpenSSL's
// functions, tells this of each. Sessions and descriptors belong to the thread of CAF's middleman.
#pragma once

#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace skanu {

void note_session(ssl_st* session, int descriptor);
void forget_session(ssl_st* session);

/// Whom the certificate of the other side names; nothing without TLS or before it was shown.
std::optional<std::vector<std::string>> names_of_peer(int descriptor);

/// Says in the log, once a minute at most, why the handshake failed, if the thread's queue of
/// OpenSSL's errors says so. The queue stays as it is.
void note_failure(const ssl_st* session);

}  // namespace skanu
