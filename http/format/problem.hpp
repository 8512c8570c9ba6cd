// Problems as RFC 9457 has them; problem_types.hpp has their statuses and titles.
#pragma once

#include <string>
#include <string_view>

#include <httplib.h>

#include "messages/errors.hpp"

namespace skanu {

/// Fills in an application/problem+json response for an error, with Retry-After where it is 503.
void render_problem(const error& e, httplib::Response& out);

/// The same for what has a status but no code of ours: 404, 405, 413, 415 …
void render_problem(int status, std::string_view detail, httplib::Response& out);

}  // namespace skanu
