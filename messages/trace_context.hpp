// W3C Trace Context: a client's identifier for a request, to follow the request through the logs of
// all nodes.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace skanu {

/// A valid traceparent of version 00: "00-<trace-id>-<parent-id>-<flags>", in lower-case
/// hexadecimal.
class trace_context {
 public:
  static constexpr std::size_t length = 55;

  std::string_view traceparent() const { return {text_.data(), length}; }
  std::string_view trace_id() const { return traceparent().substr(3, 32); }
  bool operator==(const trace_context&) const = default;

 private:
  friend std::optional<trace_context> trace_context_of(std::string_view);
  std::array<char, length> text_{};
};

/// Reads a traceparent header. A header of a later version is read and passed on as version 00.
/// Returns nullopt for an invalid header, which callers ignore.
std::optional<trace_context> trace_context_of(std::string_view header);

}  // namespace skanu
