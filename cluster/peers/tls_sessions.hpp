// Access to the TLS sessions below CAF's connections. CAF reports neither the certificate of the
// other side nor the cause of a failed handshake; the functions in openssl_errors.cpp shadow
// OpenSSL's and report both. Sessions and descriptors belong to the thread of CAF's middleman.
#pragma once

#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace skanu {

void note_session(ssl_st* session, int descriptor);
void forget_session(ssl_st* session);

/// Returns the names in the other side's certificate; nullopt without TLS or before the other side
/// has shown a certificate.
std::optional<std::vector<std::string>> names_of_peer(int descriptor);

/// Logs the cause of a failed handshake, once a minute at most, if the thread's queue of OpenSSL's
/// errors holds the cause. Leaves the queue unchanged.
void note_failure(const ssl_st* session);

}  // namespace skanu
