// The path and the query of a request target (RFC 9112, 3.2).
#pragma once

#include <httplib.h>

#include <string_view>

namespace skanu {

/// Sets `path` and `params`, percent-decoded, from the request reader's target. A slash of the path
/// that was encoded stays "%2F". In the query, a
/// plus is a space, and a parameter given twice with the same value counts once.
void set_target(httplib::Request& request, std::string_view target);

}  // namespace skanu
