// HTML written by the program: the reference, and the explanations of problems.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// Escapes text for an element or a quoted attribute.
std::string html_escaped(std::string_view text);

/// Writes a whole page in the style of http/page/docs.css. `title` is text. `content` is HTML, the
/// content of the landmark main.
std::string html_page(std::string_view title, std::string_view content);

}  // namespace skanu
