// The addresses of a connection's two ends.
#pragma once

#include <string>

namespace skanu {

/// A numeric address and a port.
struct endpoint {
  std::string address;
  int port = 0;
};

/// Looked up once per connection, not once per request.
struct connection_endpoints {
  endpoint remote;
  endpoint local;
};

}  // namespace skanu
