// A request with its response, as a handler sees both.
#pragma once

#include "http/server/file_descriptor.hpp"

#include <httplib.h>

#include <functional>
#include <string>

namespace skanu {

/// Receives the socket of a connection after the response head. `unsent` is the unsent end of the
/// head, and the taker sends `unsent` first. All bytes sent after the head are the body, which ends
/// with the connection. Runs on a worker; must not block or throw.
using socket_taker = std::function<void(file_descriptor socket, std::string unsent)>;

struct exchange {
  const httplib::Request& in;
  httplib::Response& out;
  /// The connection's next owner, set by the handler: the response then has no length. A HEAD
  /// response has no body, so the taker is dropped uncalled, as after the loss of the client.
  socket_taker taker = {};
};

}  // namespace skanu
