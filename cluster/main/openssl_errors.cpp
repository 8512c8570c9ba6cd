// CAF's OpenSSL module reads and writes without clearing the thread's queue of errors first, as
// SSL_get_error(3) asks. A handshake that failed (a stranger who knocked at the port) leaves an
// error there, and the next read of a healthy connection, which merely has nothing yet, is taken
// for a failure: all connections of the node ended. These stand before OpenSSL's own; they also
// tell tls_sessions.hpp of each session, of which CAF shows nothing.
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "cluster/peers/tls_sessions.hpp"

namespace {

template <class Function>
Function* openssls_own(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// Says why it failed, before CAF, which tells nobody, takes the error off the queue.
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
