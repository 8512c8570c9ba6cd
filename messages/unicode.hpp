// Texts of Unicode: which of them show nothing, and which are the same.
#pragma once

#include <string_view>

namespace skanu {

/// Whether a text shows nothing: only blanks, controls, format characters, and characters that a
/// reader's software does not draw. `utf8` is valid UTF-8; an empty text is blank.
bool is_blank(std::string_view utf8);

/// Whether two texts are canonically equivalent (Unicode, UAX 15: equal in NFC). "é" may be one
/// character or two: keyboards and file systems differ in this. Both are valid UTF-8.
bool is_same_text(std::string_view a, std::string_view b);

}  // namespace skanu
