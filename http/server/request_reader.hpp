// Cuts the bytes of a connection into HTTP/1.x requests: framing, limits and header grammar,
// without socket, clock or thread. Rejects all input that two servers could read differently.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Limits, checked before bytes are kept. Sizes in bytes.
struct request_limits {
  size_t header_block = size_t{16} * 1024;
  /// A line of the header block; at most 8192, cpp-httplib's own limit.
  size_t header_line = size_t{8} * 1024;
  size_t header_fields = 100;
  size_t query_parameters = 100;
  /// The decoded body, without chunk framing.
  size_t body = size_t{64} * 1024;
};

/// A whole request. Header values are as sent, without percent-decoding. `Expect`
/// and `Transfer-Encoding` are left out: the reader has dealt with both.
struct received_request {
  std::string method;
  std::string target;
  bool http_1_0 = false;
  bool keep_alive = false;
  httplib::Headers headers;
  std::string body;
};

/// The reason to refuse a request. The reader cannot parse the connection's bytes after a failure.
struct request_failure {
  int status = 0;
  std::string_view reason;
};

class request_reader {
 public:
  enum class stage {
    idle,      ///< no byte of a request has arrived
    head,      ///< the header block is incomplete
    body,      ///< the header block is complete, the body is not
    complete,  ///< `take` returns the request
    failed,    ///< `failure` returns the reason
  };

  explicit request_reader(const request_limits& limits) : limits_{limits} {}

  void append(std::string_view bytes) { buffer_.append(bytes); }

  /// Parses the appended bytes. Stays at `complete` until `take`, at `failed` for ever.
  stage advance();

  /// Returns the complete request and goes on with the next. Bytes of the next request may already
  /// be here.
  received_request take();

  /// True once per request, where the client waits for "100 Continue" and has sent no byte of the
  /// body.
  bool wants_continue();

  const request_failure& failure() const { return failure_; }

  /// The method of the current request, empty while unknown.
  const std::string& method() const { return request_.method; }

  /// Whether bytes after the complete request have arrived.
  bool has_more() const { return position_ < buffer_.size(); }

  /// Estimated bytes of memory held by the current request.
  size_t held_bytes() const {
    return buffer_.capacity() + request_.body.capacity() + 2 * head_bytes_;
  }

 private:
  enum class part {
    request_line,
    header_line,
    sized_body,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer_line,
    complete,
    failed,
  };

  struct field {
    std::string_view name, value;
  };

  bool step_request_line();
  bool step();
  std::optional<std::string_view> next_line(size_t limit, int status_if_longer);
  bool take_body(size_t& remaining);
  void parse_request_line(std::string_view line);
  bool take_target(std::string_view target);
  void parse_header_line(std::string_view line);
  std::optional<field> parse_field(std::string_view line);
  void note_framing(std::string_view name, std::string_view value, bool& hide);
  void parse_content_length(std::string_view value);
  void parse_chunk_size(std::string_view line);
  void end_of_head();
  void drop_parsed_bytes();
  void fail(int status, std::string_view reason);

  request_limits limits_;
  std::string buffer_;
  size_t position_ = 0;  // all bytes before are parsed
  size_t scanned_ = 0;   // no line ends between position_ and scanned_

  part part_ = part::request_line;
  received_request request_;
  request_failure failure_;
  size_t blank_lines_ = 0;
  size_t head_bytes_ = 0;
  size_t fields_ = 0;
  size_t hosts_ = 0;
  std::string authority_;  // of an absolute-form target
  std::optional<size_t> content_length_;
  size_t transfer_encodings_ = 0;
  bool chunked_ = false;
  bool content_encoded_ = false;
  bool expects_continue_ = false;
  bool unknown_expectation_ = false;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  size_t remaining_ = 0;       // bytes of the sized body or of the chunk
  size_t chunk_overhead_ = 0;  // bytes of chunk framing and trailers
};

}  // namespace skanu
