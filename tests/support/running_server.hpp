// An HTTP server on a loopback port, and requests for tests.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/server/server.hpp"
#include "tests/support/raw_http_client.hpp"

namespace skanu {

using namespace std::chrono_literals;

inline constexpr std::string_view get = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

inline std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string{fields} + "\r\n" + std::string{body};
}

inline std::string chunked(std::string_view chunks) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string{chunks};
}

/// Holds a handler until the test opens the gate, ten seconds at most.
class gate {
 public:
  void open() { opened_.set_value(); }
  bool pass() const { return open_.wait_for(10s) == std::future_status::ready; }

 private:
  std::promise<void> opened_;
  std::shared_future<void> open_{opened_.get_future()};
};

/// Answers POST with the body, GET with the method and target.
inline void echo(const httplib::Request& request, httplib::Response& response) {
  response.set_content(request.method == "POST" ? request.body : request.method + request.target,
                       "text/plain");
}

using plain_handler = std::function<void(const httplib::Request&, httplib::Response&)>;

/// A handler that hands no socket over.
inline request_handler plain(plain_handler handler) {
  return [handler = std::move(handler)](exchange& x) { handler(x.in, x.out); };
}

/// Timeouts short enough for a test to wait for.
inline server_options quick_options() {
  server_options options;
  options.port = 0;
  options.workers = 4;
  options.header_timeout = 300ms;
  options.body_timeout = 300ms;
  options.write_timeout = 300ms;
  options.linger = 300ms;
  options.stop_timeout = 2s;
  return options;
}

/// Timeouts longer than any test.
inline server_options patient_options() {
  server_options options;
  options.port = 0;
  options.workers = 4;
  return options;
}

/// Echoes by default; error bodies are `STATUS REASON`.
class running_server {
 public:
  explicit running_server(server_options options = patient_options(), plain_handler handler = echo)
      : running_server{std::move(options), plain(std::move(handler))} {}
  running_server(server_options options, request_handler handler)
      : server_{std::move(options), std::move(handler),
                [](int status, std::string_view reason, httplib::Response& response) {
                  response.set_content(std::to_string(status) + ' ' + std::string{reason},
                                       "application/problem+json");
                },
                [this](const httplib::Request&, std::exception_ptr) { ++failures_; }},
        port_{server_.bind()} {
    server_.start();
  }

  raw_http_client connect() const { return raw_http_client{port_}; }
  int port() const { return port_; }
  int failures() const { return failures_; }
  server* operator->() { return &server_; }

 private:
  std::atomic<int> failures_{0};
  server server_;
  int port_;
};

/// 0 without a response.
inline int status_of(const std::optional<raw_response>& response) {
  return response ? response->status : 0;
}

inline std::string body_of(const std::optional<raw_response>& response) {
  return response ? response->body : "no response";
}

}  // namespace skanu
