// Turns a whole request into the bytes of its response: cpp-httplib's parser and writer around the
// one request handler, with everything kept out that cpp-httplib would add of its own.
#pragma once

#include "http/server/request_reader.hpp"
#include "http/server/server.hpp"
#include "http/server/socket_stream.hpp"

#include <atomic>
#include <cstddef>
#include <string>

namespace skanu {

/// What becomes of the connection behind a response.
struct after_response {
  bool close = false;
  socket_taker taker = nullptr;  ///< Where the connection goes on as somebody else's.
};

/// Thread-safe.
class responder final : private httplib::Server {
 public:
  /// `last_call`: from when it is true, responses end their connection.
  responder(request_handler handler, error_renderer render_error,
            handler_failure_observer observe_failure, size_t max_response_bytes,
            const std::atomic<bool>& last_call);

  /// Runs the handler and appends the response to `output`. `another_waits`: the client's next
  /// request is already here.
  after_response answer(received_request&& request, const connection_endpoints& endpoints,
                        bool another_waits, std::string& output);
  /// hand_socket_over, within the handler that this thread runs.
  static void hand_over(socket_taker taker);

  /// Appends an error response that closes the connection.
  void refuse(const request_failure& failure, bool head_only, const connection_endpoints& endpoints,
              std::string& output);

 private:
  struct exchange;
  /// The exchange that this thread is in: cpp-httplib's callbacks carry no context.
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
