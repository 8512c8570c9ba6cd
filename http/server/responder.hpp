// Turns a whole request into the bytes of its response, with the request handler in between.
#pragma once

#include "http/server/endpoint.hpp"
#include "http/server/request_reader.hpp"
#include "http/server/server.hpp"

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
class responder final {
 public:
  /// Once `last_call` is true, responses end their connection, unless another request waits.
  responder(request_handler handler, error_renderer render_error,
            handler_failure_observer observe_failure, size_t max_response_bytes,
            const std::atomic<bool>& last_call);

  /// Runs the handler and appends the response to `output`. `another_waits`: bytes of the client's
  /// next request have arrived.
  after_response answer(received_request&& request, const connection_endpoints& endpoints,
                        bool another_waits, std::string& output);

  /// Appends an error response that closes the connection.
  void refuse(const request_failure& failure, bool head_only, std::string& output);

 private:
  void call_handler(exchange& x);
  void render(const request_failure& failure, httplib::Response& response);
  /// Appends the response, or a bare 500 and returns false if the response is too large.
  bool write(httplib::Response& response, bool with_body, std::string& output) const;

  request_handler handler_;
  error_renderer render_error_;
  handler_failure_observer observe_failure_;
  size_t max_response_bytes_;
  const std::atomic<bool>& last_call_;
};

}  // namespace skanu
