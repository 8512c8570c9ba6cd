// Turns a whole request into the bytes of its response: cpp-httplib's parser and writer around the
// request handler, without cpp-httplib's own additions.
#pragma once

#include "http/server/request_reader.hpp"
#include "http/server/server.hpp"
#include "http/server/socket_stream.hpp"

#include <atomic>
#include <cstddef>
#include <string>

namespace skanu {

/// State of the connection after a response.
struct after_response {
  bool close = false;
  socket_taker taker = nullptr;  ///< The connection's next owner, or null.
};

/// Thread-safe.
class responder final : private httplib::Server {
 public:
  /// Once `last_call` is true, responses end their connection, unless another request waits.
  responder(request_handler handler, error_renderer render_error,
            handler_failure_observer observe_failure, size_t max_response_bytes,
            const std::atomic<bool>& last_call);

  /// Runs the handler and appends the response to `output`. `another_waits`: bytes of the client's
  /// next request have arrived.
  after_response answer(received_request&& request, const connection_endpoints& endpoints,
                        bool another_waits, std::string& output);
  /// Carries out hand_socket_over for the handler on the calling thread. Throws `std::logic_error`
  /// outside a handler.
  static void hand_over(socket_taker taker);

  /// Appends an error response that closes the connection.
  void refuse(const request_failure& failure, bool head_only, const connection_endpoints& endpoints,
              std::string& output);

 private:
  struct exchange;
  /// The calling thread's exchange: cpp-httplib's callbacks carry no context.
  static thread_local exchange* current_;

  void run(exchange& current, const connection_endpoints& endpoints, std::string& output);
  void call_handler(const httplib::Request& request, httplib::Response& response);
  void render(const request_failure& failure, httplib::Response& response);
  void finish_headers(httplib::Response& response);

  request_handler handler_;
  error_renderer render_error_;
  handler_failure_observer observe_failure_;
  size_t max_response_bytes_;
  const std::atomic<bool>& last_call_;
};

}  // namespace skanu
