// Problem responses of RFC 9457; problem_types.hpp lists statuses and titles.
#pragma once

#include <string>
#include <string_view>

#include <httplib.h>

#include "messages/errors.hpp"

namespace skanu {

/// Fills in an application/problem+json response for an error, with Retry-After for 503.
void render_problem(const error& e, httplib::Response& out);

/// The same for a status without an error code: 404, 405, 413, 415 …
void render_problem(int status, std::string_view detail, httplib::Response& out);

}  // namespace skanu
