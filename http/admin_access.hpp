// Who may see /admin. Pure: no CAF, no httplib.
#pragma once

#include <string>
#include <string_view>

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

}  // namespace skanu
