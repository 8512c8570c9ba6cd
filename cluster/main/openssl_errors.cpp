// These functions shadow OpenSSL's. CAF's OpenSSL module calls OpenSSL without clearing the
// thread's queue of errors first, as SSL_get_error(3) demands. A failed handshake of a stranger
// leaves an error in the queue, and CAF would take the next read of a healthy connection without
// data for a failure, and end every connection of the node. The functions also report each session
// to tls_sessions.hpp, because CAF hides the sessions.
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "cluster/peers/tls_sessions.hpp"

namespace {

template <class Function>
Function* openssls_own(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// Logs the cause of a failure before CAF removes the error from the queue without a report.
int noted(SSL* connection, int result) {
  if (result <= 0) skanu::note_failure(connection);
  return result;
}

}  // namespace

extern "C" int SSL_read(SSL* connection, void* target, int size) {
  static auto* const read = openssls_own<int(SSL*, void*, int)>("SSL_read");
  ERR_clear_error();
  return noted(connection, read(connection, target, size));
}

extern "C" int SSL_write(SSL* connection, const void* source, int size) {
  static auto* const write = openssls_own<int(SSL*, const void*, int)>("SSL_write");
  ERR_clear_error();
  return noted(connection, write(connection, source, size));
}

extern "C" int SSL_accept(SSL* connection) {
  static auto* const accept = openssls_own<int(SSL*)>("SSL_accept");
  ERR_clear_error();
  return noted(connection, accept(connection));
}

extern "C" int SSL_connect(SSL* connection) {
  static auto* const connect = openssls_own<int(SSL*)>("SSL_connect");
  ERR_clear_error();
  return noted(connection, connect(connection));
}

extern "C" int SSL_set_fd(SSL* connection, int descriptor) {
  static auto* const set = openssls_own<int(SSL*, int)>("SSL_set_fd");
  const int result = set(connection, descriptor);
  if (result == 1) skanu::note_session(connection, descriptor);
  return result;
}

extern "C" void SSL_free(SSL* connection) {
  static auto* const free = openssls_own<void(SSL*)>("SSL_free");
  if (connection != nullptr) skanu::forget_session(connection);
  free(connection);
}
