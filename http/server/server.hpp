// The HTTP front's connection layer: cpp-httplib's parser and response writer behind a server
// whose idle, slow and hostile connections cost no thread.
#pragma once

#include "http/server/file_descriptor.hpp"
#include "http/server/request_reader.hpp"

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace skanu {

struct server_options {
  /// A host name or a numeric address.
  std::string address = "127.0.0.1";
  /// 0 takes a free one.
  int port = 8088;
  int backlog = 4096;

  /// Threads that run the handler.
  size_t threads = 16;
  /// Requests that the handler works at, at once: most of them wait for something, which costs no
  /// thread where they do it in a oneshot (oneshot.hpp).
  size_t workers = 512;
  /// Whole requests that wait for a worker. Beyond it 503 with `Retry-After`, at once.
  size_t max_queued_requests = 1024;
  /// Beyond it a new connection gets 503 with `Retry-After` and is closed. Lowered to
  /// what the open files that the process may have leave room for.
  size_t max_connections = 10'000;
  /// The same for one client address; 0: no such limit.
  size_t max_connections_per_address = 0;
  /// Sockets that may be in the hands of takers. They count among no connections; both bounds are
  /// lowered alike where the process may not have so many open files.
  size_t max_handed_over = 0;
  /// Bytes of unfinished requests and unsent responses over all connections. Beyond it whoever
  /// needs more is answered 503 or cut off; a request of up to 1 KiB is always let in.
  size_t max_buffered_bytes = 32 * 1024 * 1024;
  size_t max_response_bytes = 16 * 1024 * 1024;
  request_limits limits;

  /// From the first byte of a request to the end of its header block; then 408 and close.
  std::chrono::milliseconds header_timeout{10'000};
  /// From the end of the header block to the end of the body; then 408 and close.
  std::chrono::milliseconds body_timeout{10'000};
  /// For a client to take what the socket's buffer does not; then the connection is reset.
  std::chrono::milliseconds write_timeout{10'000};
  /// How long a connection may be without a request.
  std::chrono::milliseconds keep_alive{60'000};
  /// How long, after a last response, the client may take to close its side.
  std::chrono::milliseconds linger{1'000};
  /// How long `stop` waits for clients. It also waits for the handlers that are running.
  std::chrono::milliseconds stop_timeout{5'000};
};

/// Gets each request whole and fills in the response, its body whole too: a content provider is an
/// error. Runs on a worker's fiber, many at once: what waits in a oneshot holds no thread,
/// what blocks otherwise does. An exception becomes a 500. Header values are as the client sent
/// them; `path` and `params` are percent-decoded. Not its concern: `Content-Length`, `Connection`,
/// compression.
using request_handler = std::function<void(const httplib::Request&, httplib::Response&)>;

/// Gets the socket of a connection whose response head was sent, but for `unsent`. What it sends
/// behind that is the body, and ends with the connection. Runs on a worker; must not block or
/// throw.
using socket_taker = std::function<void(file_descriptor socket, std::string unsent)>;

/// Said by a request handler while it runs: the response has no length, and behind its head the
/// connection is `taker`'s. Before it has waited for anything. Of a HEAD request there is no body,
/// and nobody takes it. `taker` is let go uncalled where the client has gone.
void hand_socket_over(socket_taker taker);

/// Fills in the body (and content type) for an error that the connection layer found: 400, 408,
/// 413, 414, 415, 417, 431, 500, 501, 503, 505. `reason` is a sentence for the client. Runs on a
/// worker or on the connection thread, so it must be thread-safe and must not block.
using error_renderer = std::function<void(int status, std::string_view reason, httplib::Response&)>;

/// Is told of an exception that left the request handler, or the error renderer (with an empty
/// request). Runs where that ran; must not throw.
using handler_failure_observer = std::function<void(const httplib::Request&, std::exception_ptr)>;

/// Thread-safe, except that `bind`, then `start`, come first and once.
class server {
 public:
  server(server_options options, request_handler handler, error_renderer render_error,
         handler_failure_observer observe_failure = {});
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  /// Stops.
  ~server();

  /// Takes the address and returns the port; clients can connect and wait from here on. Throws
  /// `std::system_error` that names the address, with `address_in_use` for a port that is taken.
  /// Raises the process's soft limit of open files as far as `max_connections` needs it.
  int bind();

  /// Starts the threads, which inherit the signal mask.
  void start();

  /// Accepts nothing more, answers what it accepted, closes idle connections, and returns when all
  /// is done: at the latest `stop_timeout` later, or when the last running handler returns. Not to
  /// be called from a handler.
  void stop();

  /// After `bind`: what the bounds were lowered to.
  size_t max_connections() const;
  size_t max_handed_over() const;

  size_t open_connections() const;
  /// Requests whose handler is running.
  size_t requests_in_progress() const;
  /// Requests that wait for a worker.
  size_t queued_requests() const;
  /// Connections turned away at a cap since the start.
  size_t refused_connections() const;

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace skanu
