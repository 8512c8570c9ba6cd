// Checks of a request's Host, Origin and token. Pure: no CAF, no httplib.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// True for 127.0.0.0/8, ::1 and the name localhost.
bool is_loopback(const std::string& address);

/// Whether a request comes from the server's own site and names the server's own address. In a
/// browser, a page of another site can reach loopback too, even under a host name whose DNS entry
/// points there. But Host or Origin then names the other site.
///
/// `host` is the Host header: localhost or a numeric address, and loopback where `loopback_only`.
/// `origin` is the Origin header, or empty where the request has none.
bool is_meant_for_us(std::string_view host, std::string_view origin, bool loopback_only);

/// Whether a server on loopback answers the Host: a name or address of loopback, or an entry of
/// `allowed`, in any case and with any port. A page that reaches loopback through DNS rebinding
/// brings its own site's name as Host.
bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed);

/// Whether an Authorization header brings the bearer token (RFC 6750). The comparison takes equally
/// long for every wrong token.
bool brings_token(std::string_view authorization, std::string_view token);

}  // namespace skanu
