// The front of every link: empty, so that links are paths, or the scheme and the host under which
// clients reach the server. Never holds a character that JSON escapes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <httplib.h>

namespace skanu {

/// Sources of the front of links.
struct link_base_options {
  std::string public_url;  ///< From --public-url, without a slash at the end; empty: not given.
  /// Numeric addresses whose Forwarded header is believed.
  std::vector<std::string> trusted_proxies;
};

/// Reads a public URL: http or https, a host, perhaps a port and a path of plain characters.
/// Returns the URL without a slash at the end, or nullopt.
std::optional<std::string> public_url_of(std::string_view text);

/// Whether the text is an address of IPv4 or IPv6 in digits.
bool is_numeric_address(const std::string& text);

/// Returns "https://host" from the last element of a Forwarded header (RFC 7239): the nearest proxy
/// wrote that element, and the elements before may come from a client. Empty without a host.
std::string base_from_forwarded(std::string_view header);

/// The front of the links in the answer to a request.
std::string link_base_of(const httplib::Request& in, const link_base_options& options);

}  // namespace skanu
