// The types of problem in answers: URI, status and title, and the explanation at the URI.
#pragma once

#include <span>
#include <string_view>

#include "messages/errors.hpp"

namespace skanu {

struct problem_type {
  std::string_view name;  ///< The type is the URI /problems/{name}.
  int status;
  std::string_view title;
  std::string_view happened;  ///< Meaning, in a sentence or two.
  std::string_view changed;   ///< Whether the request changed any data.
  std::string_view advice;    ///< Advice for the client.
};

/// All types: first the types of the error codes, in the order of errc.
std::span<const problem_type> problem_types();

const problem_type& problem_type_of(errc code);

/// The type of a status without an error code; "internal" for a status without a type.
const problem_type& problem_type_of(int status);

/// The type with the name, or null.
const problem_type* problem_type_named(std::string_view name);

}  // namespace skanu
