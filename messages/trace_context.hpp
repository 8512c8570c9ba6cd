// W3C Trace Context: the name that a client gives to what it wants done, so that it can be followed
// through every node's log.
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

/// Reads a traceparent header. One of a later version is read as far as version 00 goes, and goes
/// on as such. Nothing for what is not valid, which is to be ignored.
std::optional<trace_context> trace_context_of(std::string_view header);

}  // namespace skanu
