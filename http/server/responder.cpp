// Requests and responses are cpp-httplib's types; the bytes of a response are written here.
#include "http/server/responder.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <utility>

#include "http/server/request_target.hpp"

namespace skanu {
namespace {

constexpr request_failure handler_failed{500, "The request could not be processed."};

/// Returns the status's name in RFC 9110, or an empty text for a status that this server never
/// sends.
std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Entity";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return {};
  }
}

/// True for the headers that only the responder sets, not the handler.
bool is_decided_here(const std::string& name) {
  static constexpr std::array names{
      "Accept-Ranges", "Connection",        "Content-Length",        "Date",
      "Keep-Alive",    "Transfer-Encoding", "X-Content-Type-Options"};
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

/// Removes the headers that the responder decides, or that would break the header block.
void clean(httplib::Headers& headers) {
  std::erase_if(headers, [](const auto& header) {
    const auto& [name, value] = header;
    return is_decided_here(name) || std::ranges::any_of(name, is_control) ||
           std::ranges::any_of(value, is_control);
  });
}

}  // namespace

responder::responder(request_handler handler, error_renderer render_error,
                     handler_failure_observer observe_failure, size_t max_response_bytes,
                     const std::atomic<bool>& last_call)
    : handler_{std::move(handler)},
      render_error_{std::move(render_error)},
      observe_failure_{std::move(observe_failure)},
      max_response_bytes_{max_response_bytes},
      last_call_{last_call} {}

after_response responder::answer(received_request&& request, const connection_endpoints& endpoints,
                                 bool another_waits, std::string& output) {
  const bool keep_alive = request.keep_alive;
  const bool http_1_0 = request.http_1_0;
  httplib::Request in;
  in.method = std::move(request.method);
  in.version = http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
  in.headers = std::move(request.headers);
  in.body = std::move(request.body);
  in.remote_addr = endpoints.remote.address;
  in.remote_port = endpoints.remote.port;
  in.local_addr = endpoints.local.address;
  in.local_port = endpoints.local.port;
  set_target(in, request.target);
  httplib::Response out;
  exchange x{in, out};
  call_handler(x);
  if (out.status < 0) out.status = 200;

  clean(out.headers);
  const bool without_length = static_cast<bool>(x.taker);
  after_response after;
  after.close = without_length || !keep_alive ||
                (last_call_.load(std::memory_order_relaxed) && !another_waits);
  if (without_length || out.status == 204 || out.status == 304) {
    out.body.clear();
  } else {
    out.headers.emplace("Content-Length", std::to_string(out.body.size()));
  }
  if (after.close) {
    out.headers.emplace("Connection", "close");
  } else if (http_1_0) {
    out.headers.emplace("Connection", "keep-alive");
  }
  const bool head_only = in.method == "HEAD";
  if (!write(out, !head_only, output)) return {.close = true};
  if (!head_only) after.taker = std::move(x.taker);
  return after;
}

void responder::refuse(const request_failure& failure, bool head_only, std::string& output) {
  httplib::Response out;
  render(failure, out);
  clean(out.headers);
  out.headers.emplace("Content-Length", std::to_string(out.body.size()));
  out.headers.emplace("Connection", "close");
  write(out, !head_only, output);
}

bool responder::write(httplib::Response& response, bool with_body, std::string& output) const {
  response.headers.emplace("Date", http_date());
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head.append(reason_phrase(response.status)).append("\r\nX-Content-Type-Options: nosniff\r\n");
  for (const auto& [name, value] : response.headers)
    head.append(name).append(": ").append(value).append("\r\n");
  head.append("\r\n");
  const auto size = head.size() + (with_body ? response.body.size() : 0);
  if (size > max_response_bytes_ || output.size() > max_response_bytes_ - size) {
    output.append(
        "HTTP/1.1 500 Internal Server Error\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n");
    return false;
  }
  output.append(head);
  if (with_body) output.append(response.body);
  return true;
}

void responder::call_handler(exchange& x) {
  std::exception_ptr thrown;
  try {
    handler_(x);
    if (x.out.content_provider_)
      throw std::logic_error{"a response must have its body whole, not a content provider"};
    return;
  } catch (...) {
    thrown = std::current_exception();
  }
  {
    httplib::Response discarded;
    std::swap(discarded, x.out);
  }
  x.taker = nullptr;
  if (observe_failure_) observe_failure_(x.in, thrown);
  render(handler_failed, x.out);
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
  if (failure.status == 503 && !response.has_header("Retry-After"))
    response.set_header("Retry-After", "1");
}

}  // namespace skanu
