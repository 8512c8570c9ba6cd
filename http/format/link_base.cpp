#include "http/format/link_base.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>

#include "http/format/host_field.hpp"

namespace skanu {

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").find(c) != std::string_view::npos;
}

/// A host with perhaps a port, as a Host field has; never empty.
bool is_host(std::string_view text) {
  return !text.empty() && text.front() != ':' && host_name(text).has_value();
}

/// The first scheme's length with its "://"; 0 for another text.
std::size_t scheme_length(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (equal_ignoring_case(text.substr(0, scheme.size()), scheme)) return scheme.size();
  return 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the text before the first `sign` outside of quotes.
std::string_view take_until(char sign, std::string_view& text) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size() && (quoted || text[end] != sign); ++end) {
    if (quoted && text[end] == '\\') {
      ++end;
    } else if (text[end] == '"') {
      quoted = !quoted;
    }
  }
  end = std::min(end, text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(taken);
}

/// The value without its quotes. A host and a scheme need no escapes, and with one they are
/// refused.
std::string_view unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    return value.substr(1, value.size() - 2);
  return value;
}

}  // namespace

std::optional<std::string> public_url_of(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  const auto scheme = scheme_length(text);
  if (scheme == 0) return std::nullopt;
  const auto host_end = std::min(text.find('/', scheme), text.size());
  if (!is_host(text.substr(scheme, host_end - scheme))) return std::nullopt;
  if (!std::ranges::all_of(text.substr(host_end), is_plain)) return std::nullopt;
  return std::string(text);
}

bool is_numeric_address(const std::string& text) {
  in6_addr any{};
  return ::inet_pton(AF_INET, text.c_str(), &any) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

std::string base_from_forwarded(std::string_view header) {
  std::string_view last;
  while (!header.empty()) last = take_until(',', header);
  std::string_view host, scheme = "http";
  while (!last.empty()) {
    auto pair = take_until(';', last);
    const auto name = take_until('=', pair);
    if (equal_ignoring_case(name, "host")) host = unquoted(trimmed(pair));
    if (equal_ignoring_case(name, "proto")) scheme = unquoted(trimmed(pair));
  }
  if (!is_host(host)) return {};
  if (equal_ignoring_case(scheme, "https")) return "https://" + std::string(host);
  return equal_ignoring_case(scheme, "http") ? "http://" + std::string(host) : std::string();
}

std::string link_base_of(const httplib::Request& in, const link_base_options& options) {
  if (!options.public_url.empty()) return options.public_url;
  if (std::ranges::find(options.trusted_proxies, in.remote_addr) == options.trusted_proxies.end())
    return {};
  const auto count = in.get_header_value_count("Forwarded");
  return count == 0 ? std::string()
                    : base_from_forwarded(in.get_header_value("Forwarded", count - 1));
}

}  // namespace skanu
