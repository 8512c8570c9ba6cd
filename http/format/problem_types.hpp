// Every kind of problem that an answer can name: its type URI, status and title, and the
// explanation that the URI resolves to.
#pragma once

#include <span>
#include <string_view>

#include "messages/errors.hpp"

namespace skanu {

struct problem_type {
  std::string_view name;  ///< The type is the URI /problems/{name}.
  int status;
  std::string_view title;
  std::string_view happened;  ///< What it means, in a sentence or two.
  std::string_view changed;   ///< Whether anything was changed.
  std::string_view advice;    ///< What whoever meets it can do.
};

/// All of them: those of the error codes first, in their order.
std::span<const problem_type> problem_types();

const problem_type& problem_type_of(errc code);

/// For what has a status but no code of ours; internal for a status that has no type of its own.
const problem_type& problem_type_of(int status);

/// The type of that name, or null.
const problem_type* problem_type_named(std::string_view name);

}  // namespace skanu
