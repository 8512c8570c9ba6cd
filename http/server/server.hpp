// The HTTP front's connection layer, with cpp-httplib's types of requests and responses, behind
// epoll. Idle, slow and hostile connections cost no thread.
#pragma once

#include "http/server/exchange.hpp"
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
  /// Host name or numeric address.
  std::string address = "127.0.0.1";
  /// 0 takes a free port.
  int port = 8088;
  int backlog = 4096;

  /// Threads that run the handler.
  size_t threads = 16;
  /// Requests in the handler at once. Most of the requests wait in a oneshot (oneshot.hpp), which
  /// costs no thread.
  size_t workers = 512;
  /// Whole requests that wait for a worker. Beyond the limit the answer is 503 with `Retry-After`,
  /// at once.
  size_t max_queued_requests = 1024;
  /// Beyond the limit a new connection gets 503 with `Retry-After` and is closed. Lowered to fit
  /// the process's limit of open files.
  size_t max_connections = 10'000;
  /// The same for a single client address; 0: no limit.
  size_t max_connections_per_address = 0;
  /// Sockets held by takers, not counted as connections. Both bounds are lowered alike to fit the
  /// process's limit of open files.
  size_t max_handed_over = 0;
  /// Bytes of unfinished requests and unsent responses over all connections. Beyond the limit a
  /// request over 1 KiB gets 503, and a connection with unsent bytes is cut off.
  size_t max_buffered_bytes = size_t{32} * 1024 * 1024;
  size_t max_response_bytes = size_t{16} * 1024 * 1024;
  request_limits limits;

  /// From the first byte of a request to the end of its header block; then 408 and close.
  std::chrono::milliseconds header_timeout{10'000};
  /// From the end of the header block to the end of the body; then 408 and close.
  std::chrono::milliseconds body_timeout{10'000};
  /// For a client to take the bytes beyond the socket's buffer; then the connection is reset.
  std::chrono::milliseconds write_timeout{10'000};
  /// Time that a connection may stay without a request.
  std::chrono::milliseconds keep_alive{60'000};
  /// Time for the client to close its side after a last response.
  std::chrono::milliseconds linger{1'000};
  /// Time that `stop` waits for clients. The wait for running handlers has no limit.
  std::chrono::milliseconds stop_timeout{5'000};
};

/// Open files of the process.
struct open_file_limits {
  size_t wanted = 0;  ///< For all connections, and the program's own files.
  size_t limit = 0;   ///< The process's limit: the bounds are lowered where `wanted` is above it.
};

/// Receives a whole request and fills in the response, with a whole body: a content provider is an
/// error. Runs on a worker's fiber, many at once: waiting in a oneshot holds no thread, any other
/// blocking call does. An exception becomes a 500. Header values are as the client sent them;
/// `path` and `params` are percent-decoded. The server alone sets `Content-Length` and
/// `Connection`.
using request_handler = std::function<void(exchange&)>;

/// Fills in the body and content type of an error found by the connection layer: 400, 408, 413,
/// 414, 415, 417, 431, 500, 501, 503, 505. `reason` is a sentence for the client. Runs on a worker
/// or on the connection thread, so it must be thread-safe and must not block.
using error_renderer = std::function<void(int status, std::string_view reason, httplib::Response&)>;

/// Receives an exception of the request handler, or with an empty request an exception of the error
/// renderer or of a connection's step. Runs on the throwing thread; must not throw.
using handler_failure_observer = std::function<void(const httplib::Request&, std::exception_ptr)>;

/// Thread-safe. The exceptions are `bind` and then `start`, called first and once.
class server {
 public:
  server(server_options options, request_handler handler, error_renderer render_error,
         handler_failure_observer observe_failure = {});
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  /// Calls `stop`.
  ~server();

  /// Binds the address and returns the port; clients can connect and wait from here on. Throws
  /// `std::system_error` with the address, and `address_in_use` for a taken port. Raises the
  /// process's soft limit of open files as far as `max_connections` needs.
  int bind();

  /// Starts the threads, with the caller's signal mask.
  void start();

  /// From now on each response ends its connection, unless another request waits: clients move to
  /// other servers. Goes on accepting. Announces stop(), which then lets handshakes under way end
  /// and answers their requests, too.
  void call_last_requests();

  /// Stops accepting, answers accepted requests, closes idle connections, and returns when all is
  /// done: at the latest after `stop_timeout`, or when the last running handler returns. Not to be
  /// called from a handler.
  void stop();

  /// The lowered bounds, after `bind`.
  size_t max_connections() const;
  size_t max_handed_over() const;
  /// After `bind`.
  open_file_limits open_files() const;

  size_t open_connections() const;
  /// Requests whose handler is running.
  size_t requests_in_progress() const;
  /// Requests waiting for a worker.
  size_t queued_requests() const;
  /// Connections refused at a cap since the start.
  size_t refused_connections() const;

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace skanu
