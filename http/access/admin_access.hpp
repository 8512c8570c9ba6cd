// Whom a server without authentication answers: by the request's Host, Origin and token. Pure: no
// CAF, no httplib.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// True for 127.0.0.0/8, ::1 and the name localhost.
bool is_loopback(const std::string& address);

/// Whether a request was meant for this very address, and by this very site. A page of another site
/// that a browser shows can reach loopback too, also under a name of its own that was made to point
/// there; but such a request says so in Host or Origin.
///
/// `host` is the Host header; it must be localhost or a numeric address, and of loopback where
/// `loopback_only`. `origin` is the Origin header, or empty where there is none.
bool is_meant_for_us(std::string_view host, std::string_view origin, bool loopback_only);

/// Whether a server on loopback answers to this Host: one of loopback, or one of the names or
/// addresses of `allowed`, in any case and with any port. A page that a browser shows under a name
/// that was made to point at loopback (DNS rebinding) says that name.
bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed);

/// Whether an Authorization header brings this bearer token (RFC 6750). Takes as long for a token
/// that is nearly right as for any other.
bool brings_token(std::string_view authorization, std::string_view token);

}  // namespace skanu
