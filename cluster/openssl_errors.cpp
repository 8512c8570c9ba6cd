// CAF's OpenSSL module reads and writes without clearing the thread's queue of errors first, as
// SSL_get_error(3) asks. A handshake that failed (a stranger who knocked at the port) leaves an
// error there, and the next read of a healthy connection, which merely has nothing yet, is taken
// for a failure: all connections of the node ended. These two stand before OpenSSL's own.
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

template <class Function>
Function* openssls_own(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int SSL_read(SSL* connection, void* target, int size) {
  static auto* const read = openssls_own<int(SSL*, void*, int)>("SSL_read");
  ERR_clear_error();
  return read(connection, target, size);
}

extern "C" int SSL_write(SSL* connection, const void* source, int size) {
  static auto* const write = openssls_own<int(SSL*, const void*, int)>("SSL_write");
  ERR_clear_error();
  return write(connection, source, size);
}
