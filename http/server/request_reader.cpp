// The strict side of RFC 9112's HTTP/1.x message grammar: input that two servers could read
// differently is an error.
#include "http/server/request_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "http/format/host_field.hpp"

namespace skanu {
namespace {

constexpr size_t max_blank_lines = 4;
constexpr size_t kept_buffer = size_t{4} * 1024;
constexpr size_t max_chunk_line = 256;
// A chunk of 1 byte carries 5 bytes of framing.
constexpr size_t max_chunk_overhead_factor = 8;

constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> allowed{};
  constexpr std::string_view characters =
      "!#$%&'*+-.^_`|~0123456789"
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char c : characters) allowed[static_cast<unsigned char>(c)] = true;
  return allowed;
}();

bool is_token_character(char c) { return token_characters[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `expected` is in lower case.
bool equals_ignoring_case(std::string_view text, std::string_view expected) {
  return text.size() == expected.size() &&
         std::ranges::equal(text, expected, {}, lower, std::identity{});
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

// Accepts visible ASCII with whole percent-escapes. No escape may hide a NUL or, in the path, a
// control character.
bool is_target(std::string_view target) {
  bool in_query = false;
  for (size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c <= 0x20 || c >= 0x7f || c == '#') return false;
    if (c == '?') in_query = true;
    if (c != '%') continue;
    if (i + 2 >= target.size()) return false;
    const int high = hex_value(target[i + 1]);
    const int low = hex_value(target[i + 2]);
    if (high < 0 || low < 0) return false;
    const int decoded = 16 * high + low;
    if (decoded == 0 || (!in_query && (decoded < 0x20 || decoded == 0x7f))) return false;
  }
  return true;
}

bool is_http_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

/// The place behind "http://" or "https://"; nullopt for another text.
std::optional<size_t> behind_scheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  return std::nullopt;
}

template <class Visit>
void for_each_list_item(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    visit(trim(list.substr(0, comma)));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

}  // namespace

request_reader::stage request_reader::advance() {
  while (step()) {
  }
  switch (part_) {
    case part::complete: return stage::complete;
    case part::failed: return stage::failed;
    case part::request_line:
      drop_parsed_bytes();
      return buffer_.empty() ? stage::idle : stage::head;
    case part::header_line: drop_parsed_bytes(); return stage::head;
    default: drop_parsed_bytes(); return stage::body;
  }
}

received_request request_reader::take() {
  auto request = std::move(request_);
  request_ = {};
  part_ = part::request_line;
  blank_lines_ = head_bytes_ = fields_ = hosts_ = transfer_encodings_ = 0;
  content_length_.reset();
  chunked_ = content_encoded_ = expects_continue_ = unknown_expectation_ = false;
  connection_close_ = connection_keep_alive_ = false;
  remaining_ = chunk_overhead_ = 0;
  drop_parsed_bytes();
  return request;
}

bool request_reader::wants_continue() {
  const bool in_body = part_ == part::sized_body || part_ == part::chunk_size;
  const bool nothing_here = request_.body.empty() && chunk_overhead_ == 0 && !has_more();
  return in_body && nothing_here && std::exchange(expects_continue_, false);
}

// Parses the request line, or skips an empty line before it.
bool request_reader::step_request_line() {
  if (!has_more()) return false;
  const char first = buffer_[position_];
  if (!is_token_character(first) && first != '\r' && first != '\n') {
    fail(400, "This is not an HTTP/1.1 request.");
    return false;
  }
  const auto line = next_line(std::min(limits_.header_line, limits_.header_block), 414);
  if (!line) return false;
  if (!line->empty()) {
    head_bytes_ = line->size() + 2;
    parse_request_line(*line);
  } else if (++blank_lines_ > max_blank_lines) {
    fail(400, "Too many empty lines before the request line.");
  }
  return true;
}

// Parses a line or a piece of a body. Returns false where more bytes are needed, or after the end.
bool request_reader::step() {
  switch (part_) {
    case part::request_line: return step_request_line();
    case part::header_line: {
      const auto limit = std::min(limits_.header_line, limits_.header_block - head_bytes_);
      const auto line = next_line(limit, 431);
      if (!line) return false;
      head_bytes_ += line->size() + 2;
      if (line->empty()) {
        end_of_head();
      } else {
        parse_header_line(*line);
      }
      return true;
    }
    case part::sized_body:
      if (!take_body(remaining_)) return false;
      if (remaining_ == 0) part_ = part::complete;
      return true;
    case part::chunk_size: {
      const auto line = next_line(max_chunk_line, 400);
      if (!line) return false;
      parse_chunk_size(*line);
      return true;
    }
    case part::chunk_data:
      if (!take_body(remaining_)) return false;
      if (remaining_ == 0) part_ = part::chunk_end;
      return true;
    case part::chunk_end: {
      const auto line = next_line(2, 400);
      if (!line) return false;
      if (line->empty()) {
        part_ = part::chunk_size;
      } else {
        fail(400, "A chunk does not end where its size says.");
      }
      return true;
    }
    case part::trailer_line: {
      const auto line = next_line(limits_.header_line, 431);
      if (!line) return false;
      chunk_overhead_ += line->size() + 2;
      if (line->empty()) {
        part_ = part::complete;
      } else if (chunk_overhead_ > limits_.header_block) {
        fail(431, "The trailer is too large.");
      } else {
        parse_field(*line);  // checks the grammar; the field is dropped
      }
      return true;
    }
    case part::complete:
    case part::failed: return false;
  }
  return false;
}

// Returns the next line without CRLF, or nullopt where the line is incomplete or malformed. The
// view is valid until bytes are dropped or appended.
std::optional<std::string_view> request_reader::next_line(size_t limit, int status_if_longer) {
  const auto newline = buffer_.find('\n', scanned_);
  const bool whole = newline != std::string::npos;
  const auto end = whole ? newline + 1 : buffer_.size();
  if (end - position_ > limit) {
    fail(status_if_longer, status_if_longer == 414   ? "The request line is too long."
                           : status_if_longer == 431 ? "The header block is too large."
                                                     : "A line of the chunked body is malformed.");
    return std::nullopt;
  }
  scanned_ = end;
  if (!whole) return std::nullopt;
  if (newline == position_ || buffer_[newline - 1] != '\r') {
    fail(400, "A line must end with CR LF.");
    return std::nullopt;
  }
  const auto line = std::string_view{buffer_}.substr(position_, newline - 1 - position_);
  position_ = end;
  return line;
}

bool request_reader::take_body(size_t& remaining) {
  const auto taken = std::min(remaining, buffer_.size() - position_);
  request_.body.append(buffer_, position_, taken);
  position_ += taken;
  scanned_ = position_;
  remaining -= taken;
  return taken > 0;
}

void request_reader::parse_request_line(std::string_view line) {
  const auto method_end = line.find(' ');
  const auto target_end =
      method_end == std::string_view::npos ? method_end : line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) {
    return fail(400, "The request line needs a method, a target and a version.");
  }
  const auto method = line.substr(0, method_end);
  const auto target = line.substr(method_end + 1, target_end - method_end - 1);
  const auto version = line.substr(target_end + 1);
  if (!is_token(method)) return fail(400, "The method is malformed.");
  if (!is_http_version(version)) return fail(400, "The HTTP version is malformed.");
  if (!version.starts_with("HTTP/1.")) return fail(505, "Only HTTP/1.1 is spoken here.");
  request_.method = method;
  if (!is_target(target)) return fail(400, "The request target is malformed.");
  if (!take_target(target)) return;
  if (std::ranges::count(target, '&') >= static_cast<std::ptrdiff_t>(limits_.query_parameters))
    return fail(400, "There are too many query parameters.");
  request_.http_1_0 = version == "HTTP/1.0";
  part_ = part::header_line;
}

// Takes a path, "*" of OPTIONS, or an absolute form, whose authority replaces Host (RFC 9112, 3.2).
bool request_reader::take_target(std::string_view target) {
  const bool of_options = request_.method == "OPTIONS";
  if (const auto host = behind_scheme(target)) {
    const auto path = std::min(target.find_first_of("/?", *host), target.size());
    authority_ = target.substr(*host, path - *host);
    if (authority_.empty() || !host_name(authority_)) {
      fail(400, "The request target's host is malformed.");
      return false;
    }
    target.remove_prefix(path);
    request_.target = target.starts_with('/') ? "" : of_options && target.empty() ? "*" : "/";
    request_.target += target;
    return true;
  }
  if (!target.starts_with('/') && !(target == "*" && of_options)) {
    fail(400, "The request target must be a path.");
    return false;
  }
  request_.target = target;
  return true;
}

void request_reader::parse_header_line(std::string_view line) {
  if (++fields_ > limits_.header_fields) return fail(431, "There are too many header fields.");
  const auto parsed = parse_field(line);
  if (!parsed) return;
  const auto [name, value] = *parsed;
  bool hide = false;
  note_framing(name, value, hide);
  if (!hide && part_ != part::failed) request_.headers.emplace(name, value);
}

std::optional<request_reader::field> request_reader::parse_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    fail(400, "A header field is malformed.");
    return std::nullopt;
  }
  const auto value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) {
    fail(400, "A header field has a control character.");
    return std::nullopt;
  }
  return field{line.substr(0, colon), value};
}

void request_reader::note_framing(std::string_view name, std::string_view value, bool& hide) {
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "host")) {
        ++hosts_;
        if (!host_name(value)) fail(400, "Host is malformed.");
        hide = !authority_.empty();
      }
      break;
    case 6:
      if (equals_ignoring_case(name, "expect")) {
        hide = true;
        if (equals_ignoring_case(value, "100-continue")) {
          expects_continue_ = true;
        } else {
          unknown_expectation_ = true;
        }
      }
      break;
    case 10:
      if (equals_ignoring_case(name, "connection")) {
        for_each_list_item(value, [this](std::string_view option) {
          if (equals_ignoring_case(option, "close")) connection_close_ = true;
          if (equals_ignoring_case(option, "keep-alive")) connection_keep_alive_ = true;
        });
      }
      break;
    case 14:
      if (equals_ignoring_case(name, "content-length")) parse_content_length(value);
      break;
    case 16:
      if (equals_ignoring_case(name, "content-encoding")) content_encoded_ = true;
      break;
    case 17:
      if (equals_ignoring_case(name, "transfer-encoding")) {
        hide = true;
        ++transfer_encodings_;
        chunked_ = equals_ignoring_case(value, "chunked");
      }
      break;
    default: break;
  }
}

void request_reader::parse_content_length(std::string_view value) {
  if (value.empty() || !std::ranges::all_of(value, is_digit)) {
    return fail(400, "Content-Length is malformed.");
  }
  size_t length = 0;
  for (const char digit : value) {
    // Beyond the limit only "too large" matters: the cap keeps many digits from overflowing.
    length = std::min(10 * length + static_cast<size_t>(digit - '0'),
                      std::numeric_limits<uint32_t>::max() * size_t{1});
  }
  if (content_length_ && *content_length_ != length) {
    return fail(400, "Content-Length is given twice.");
  }
  content_length_ = length;
}

void request_reader::end_of_head() {
  if (hosts_ > 1 || (hosts_ == 0 && !request_.http_1_0)) {
    return fail(400, "Exactly one Host field is needed.");
  }
  if (!authority_.empty()) request_.headers.emplace("Host", std::exchange(authority_, {}));
  if (transfer_encodings_ > 0) {
    if (content_length_) {
      return fail(400, "Content-Length and Transfer-Encoding exclude each other.");
    }
    if (request_.http_1_0) return fail(400, "HTTP/1.0 has no Transfer-Encoding.");
    if (transfer_encodings_ > 1 || !chunked_) {
      return fail(501, "The only transfer encoding known is chunked.");
    }
  }
  if (content_encoded_) return fail(415, "The body must not be encoded.");
  if (content_length_.value_or(0) > limits_.body) return fail(413, "The body is too large.");
  if (unknown_expectation_) return fail(417, "The only expectation known is 100-continue.");
  if (request_.http_1_0) expects_continue_ = false;
  request_.keep_alive = !connection_close_ && (!request_.http_1_0 || connection_keep_alive_);
  remaining_ = content_length_.value_or(0);
  part_ = chunked_ ? part::chunk_size : remaining_ > 0 ? part::sized_body : part::complete;
}

void request_reader::parse_chunk_size(std::string_view line) {
  chunk_overhead_ += line.size() + 4;
  size_t size = 0;
  size_t digits = 0;
  while (digits < line.size() && hex_value(line[digits]) >= 0) {
    if (size <= limits_.body) size = 16 * size + static_cast<size_t>(hex_value(line[digits]));
    ++digits;
  }
  const auto extension = trim(line.substr(digits));
  if (digits == 0 || (!extension.empty() && extension.front() != ';') ||
      !is_field_value(extension)) {
    return fail(400, "A chunk size is malformed.");
  }
  if (size > limits_.body - request_.body.size()) return fail(413, "The body is too large.");
  if (chunk_overhead_ > max_chunk_overhead_factor * limits_.body) {
    return fail(400, "The chunks are too small for their framing.");
  }
  if (size == 0) {
    chunk_overhead_ = 0;
    part_ = part::trailer_line;
  } else {
    remaining_ = size;
    part_ = part::chunk_data;
  }
}

void request_reader::drop_parsed_bytes() {
  if (position_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kept_buffer) buffer_.shrink_to_fit();
  } else {
    buffer_.erase(0, position_);
  }
  scanned_ -= position_;
  position_ = 0;
}

void request_reader::fail(int status, std::string_view reason) {
  part_ = part::failed;
  failure_ = {status, reason};
}

}  // namespace skanu
