// Cuts the bytes of one connection into HTTP/1.x requests: framing, limits and header grammar,
// without socket, clock or thread. What it lets through cannot be read in two ways.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Checked before the bytes are kept. Sizes in bytes.
struct request_limits {
  size_t header_block = 16 * 1024;
  /// One line of the header block; at most 8192, which is what cpp-httplib takes.
  size_t header_line = 8 * 1024;
  size_t header_fields = 100;
  /// Decoded, that is without the chunk framing.
  size_t body = 64 * 1024;
};

/// A whole request. Header values are as sent: nothing in them has been percent-decoded.
/// `Accept-Encoding`, `Expect` and `Transfer-Encoding` are left out: they have been dealt with.
struct received_request {
  std::string method;
  std::string target;
  bool http_1_0 = false;
  bool keep_alive = false;
  httplib::Headers headers;
  std::string body;
};

/// Why a request cannot be served. After it nothing on the connection can be understood.
struct request_failure {
  int status = 0;
  std::string_view reason;
};

class request_reader {
 public:
  enum class stage {
    idle,      ///< no byte of a request is here
    head,      ///< the header block is not complete
    body,      ///< the header block is, the body is not
    complete,  ///< `take` yields the request
    failed,    ///< `failure` says why
  };

  explicit request_reader(const request_limits& limits) : limits_{limits} {}

  void append(std::string_view bytes) { buffer_.append(bytes); }

  /// Parses what was appended. Stays at `complete` until `take`, at `failed` for ever.
  stage advance();

  /// Leaves the reader ready for the next request, whose first bytes may already be here.
  received_request take();

  /// True once per request: it waits for "100 Continue" and nothing of its body is here.
  bool wants_continue();

  const request_failure& failure() const { return failure_; }

  /// The method of the current request, empty while unknown.
  const std::string& method() const { return request_.method; }

  /// Whether bytes after the complete request are here.
  bool has_more() const { return position_ < buffer_.size(); }

  /// An estimate of the memory that the current request takes.
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

  bool step();
  std::optional<std::string_view> next_line(size_t limit, int status_if_longer);
  bool take_body(size_t& remaining);
  void parse_request_line(std::string_view line);
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
  size_t position_ = 0;  // everything before it is parsed
  size_t scanned_ = 0;   // no line ends between position_ and it

  part part_ = part::request_line;
  received_request request_;
  request_failure failure_;
  size_t blank_lines_ = 0;
  size_t head_bytes_ = 0;
  size_t fields_ = 0;
  size_t hosts_ = 0;
  std::optional<size_t> content_length_;
  size_t transfer_encodings_ = 0;
  bool chunked_ = false;
  bool content_encoded_ = false;
  bool expects_continue_ = false;
  bool unknown_expectation_ = false;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  size_t remaining_ = 0;       // of the sized body or of the chunk
  size_t chunk_overhead_ = 0;  // chunk framing and trailers seen
};

}  // namespace skanu
