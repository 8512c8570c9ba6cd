#include "messages/trace_context.hpp"

#include <algorithm>

namespace skanu {

namespace {

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

}  // namespace

std::optional<trace_context> trace_context_of(std::string_view header) {
  if (header.size() < trace_context::length) return std::nullopt;
  const auto version = header.substr(0, 2);
  const auto trace_id = header.substr(3, 32), parent_id = header.substr(36, 16);
  const auto flags = header.substr(53, 2);
  const bool dashes = header[2] == '-' && header[35] == '-' && header[52] == '-';
  if (!dashes || !is_hex(version) || !is_hex(trace_id) || !is_hex(parent_id) || !is_hex(flags))
    return std::nullopt;
  if (version == "ff" || is_zero(trace_id) || is_zero(parent_id)) return std::nullopt;
  const auto rest = header.substr(trace_context::length);
  if (!rest.empty() && (version == "00" || rest.front() != '-')) return std::nullopt;
  trace_context context;
  std::copy_n(header.begin(), trace_context::length, context.text_.begin());
  if (version == "00") return context;
  // The only known flag of a later version is "sampled".
  const bool sampled = std::string_view("13579bdf").find(flags.back()) != std::string_view::npos;
  context.text_[0] = context.text_[1] = context.text_[53] = '0';
  context.text_[54] = sampled ? '1' : '0';
  return context;
}

}  // namespace skanu
