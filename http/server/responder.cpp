// Runs an exchange through cpp-httplib. cpp-httplib parses only the request line. Header fields and
// body go into httplib::Request ready-made, past cpp-httplib's percent-decoding, ranges and body
// reader.
#include "http/server/responder.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace skanu {
namespace {

constexpr request_failure handler_failed{500, "The request could not be processed."};

// Writes a request line for cpp-httplib. cpp-httplib refuses unknown methods and a target with two
// question marks, and takes the text after the last equals sign of a parameter for the value. So
// further question marks and equals signs are escaped, and every method but HEAD becomes GET: only
// HEAD matters to cpp-httplib, since the response has no body.
std::string request_line(const received_request& request) {
  std::string line;
  line.reserve(request.target.size() + 20);
  line.append(request.method == "HEAD" ? "HEAD " : "GET ");
  bool in_query = false;
  bool in_value = false;
  for (const char c : request.target) {
    if (c == '?' && std::exchange(in_query, true)) {
      line.append("%3F");
    } else if (c == '=' && in_query && std::exchange(in_value, true)) {
      line.append("%3D");
    } else {
      if (c == '&') in_value = false;
      line.push_back(c);
    }
  }
  line.append(request.http_1_0 ? " HTTP/1.0\r\n\r\n" : " HTTP/1.1\r\n\r\n");
  return line;
}

// True for the headers that only the responder sets, not cpp-httplib or the handler.
bool is_decided_here(const std::string& name) {
  static constexpr std::array names{"Accept-Ranges", "Connection", "Content-Length",
                                    "Date",          "Keep-Alive", "Transfer-Encoding"};
  return std::ranges::any_of(
      names, [&](const char* each) { return ::strcasecmp(name.c_str(), each) == 0; });
}

/// The present time in RFC 9110's format of Date, formatted once a second and thread.
const std::string& http_date() {
  thread_local std::time_t written = 0;
  thread_local std::string text;
  const auto now = std::time(nullptr);
  if (now == written) return text;
  written = now;
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> buffer;
  text.assign(buffer.data(),
              std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  return text;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

}  // namespace

struct responder::exchange {
  received_request request;
  request_failure failure;  // status 0: no failure, the handler answers
  bool another_waits = false;
  bool rendered = false;
  bool close = true;
  bool without_end = false;  // the response has no length
  socket_taker taker;
};

thread_local responder::exchange* responder::current_ = nullptr;

responder::responder(request_handler handler, error_renderer render_error,
                     handler_failure_observer observe_failure, size_t max_response_bytes,
                     const std::atomic<bool>& last_call)
    : handler_{std::move(handler)},
      render_error_{std::move(render_error)},
      observe_failure_{std::move(observe_failure)},
      max_response_bytes_{max_response_bytes},
      last_call_{last_call} {
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (current_->failure.status != 0) {
      render(current_->failure, response);
    } else {
      call_handler(request, response);
    }
    current_->rendered = true;
    return HandlerResponse::Handled;
  });
  set_error_handler(
      HandlerWithResponse{[this](const httplib::Request&, httplib::Response& response) {
        if (!current_->rendered) {
          current_->request.keep_alive = false;
          render({response.status, "The request is malformed."}, response);
        }
        return HandlerResponse::Handled;
      }});
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) { finish_headers(response); });
}

after_response responder::answer(received_request&& request, const connection_endpoints& endpoints,
                                 bool another_waits, std::string& output) {
  exchange current;
  current.request = std::move(request);
  current.another_waits = another_waits;
  run(current, endpoints, output);
  return {current.close, std::move(current.taker)};
}

void responder::hand_over(socket_taker taker) {
  if (current_ == nullptr) throw std::logic_error{"a socket is handed over by a running handler"};
  current_->without_end = true;
  if (current_->request.method != "HEAD") current_->taker = std::move(taker);
}

void hand_socket_over(socket_taker taker) { responder::hand_over(std::move(taker)); }

void responder::refuse(const request_failure& failure, bool head_only,
                       const connection_endpoints& endpoints, std::string& output) {
  exchange current;
  current.request.method = head_only ? "HEAD" : "GET";
  current.request.target = "/";
  current.failure = failure;
  run(current, endpoints, output);
}

void responder::run(exchange& current, const connection_endpoints& endpoints, std::string& output) {
  const auto line = request_line(current.request);
  const auto start = output.size();
  socket_stream stream{line, output, max_response_bytes_, endpoints};
  current_ = &current;
  bool closed_by_request = false;
  // The argument "close" keeps the writer from adding Keep-Alive; finish_headers decides.
  const bool written =
      process_request(stream, true, closed_by_request, [&current](httplib::Request& request) {
        request.method = current.request.method;
        request.headers = std::move(current.request.headers);
        request.body = std::move(current.request.body);
        request.target = std::move(current.request.target);
      });
  current_ = nullptr;
  if (!written) {
    // The response exceeds max_response_bytes.
    output.resize(start);
    output.append(
        "HTTP/1.1 500 Internal Server Error\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n");
    current.close = true;
    current.taker = nullptr;
  }
}

void responder::call_handler(const httplib::Request& request, httplib::Response& response) {
  std::exception_ptr thrown;
  auto* const current = current_;
  try {
    handler_(request, response);
    if (response.content_provider_) {
      throw std::logic_error{"a response must have its body whole, not a content provider"};
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  current_ = current;  // the thread ran other requests while the handler waited
  if (!thrown) return;
  {
    httplib::Response discarded;
    std::swap(discarded, response);
  }
  current_->without_end = false;
  current_->taker = nullptr;
  if (observe_failure_) observe_failure_(request, thrown);
  render(handler_failed, response);
}

void responder::render(const request_failure& failure, httplib::Response& response) {
  response.status = failure.status;
  try {
    render_error_(failure.status, failure.reason, response);
  } catch (...) {
    if (observe_failure_) observe_failure_({}, std::current_exception());
    response.body.clear();
  }
  response.status = failure.status;
  if (failure.status == 503 && !response.has_header("Retry-After")) {
    response.set_header("Retry-After", "1");
  }
}

// Sets the final headers, called when the response is complete but for its bytes.
void responder::finish_headers(httplib::Response& response) {
  auto& current = *current_;
  auto& headers = response.headers;
  current.close = current.without_end || !current.request.keep_alive ||
                  (last_call_.load(std::memory_order_relaxed) && !current.another_waits);
  for (auto header = headers.begin(); header != headers.end();) {
    const auto& [name, value] = *header;
    const bool unwanted = is_decided_here(name) || std::ranges::any_of(name, is_control) ||
                          std::ranges::any_of(value, is_control);
    header = unwanted ? headers.erase(header) : std::next(header);
  }
  if (current.without_end || response.status == 204 || response.status == 304) {
    response.body.clear();
  } else {
    headers.emplace("Content-Length", std::to_string(response.body.size()));
  }
  headers.emplace("Date", http_date());
  if (current.close) {
    headers.emplace("Connection", "close");
  } else if (current.request.http_1_0) {
    headers.emplace("Connection", "keep-alive");
  }
}

}  // namespace skanu
