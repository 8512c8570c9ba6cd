// The little HTML that the program writes itself: the reference, and the explanations of problems.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// Text as it may stand in an element or in a quoted attribute.
std::string html_escaped(std::string_view text);

/// A whole page in the style of http/page/docs.css. `title` is text, `content` is HTML: what stands
/// in the landmark main.
std::string html_page(std::string_view title, std::string_view content);

}  // namespace skanu
