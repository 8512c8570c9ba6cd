// Files compiled into the program: the pages with their files, and the OpenAPI document.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// Bytes that only another build of the program changes.
struct asset {
  std::string name;  ///< "page/board.js"
  std::string_view bytes;
  std::string_view media_type;
  std::string tag;  ///< A strong entity tag of the bytes, without quotes.
  std::string packed = packed_form(bytes, media_type);  ///< In gzip's format; empty: no smaller.

  /// Returns the bytes in gzip's format where that is worth a client's while, else an empty text.
  static std::string packed_form(std::string_view bytes, std::string_view media_type);
};

/// All assets, by name. Made at the first call; live as long as the program.
const std::vector<asset>& assets();

/// A tag of all files that the pages load. Pages name their files under it, as
/// /assets/TAG/board.js, so that a name never has other bytes.
const std::string& build_tag();

/// The asset with the name, or null.
const asset* find_asset(std::string_view name);

/// The media type for the ending of a file's name; application/octet-stream for an unknown ending.
std::string_view media_type_of(std::string_view name);

/// A strong entity tag of bytes, without quotes.
std::string content_tag(std::string_view bytes);

}  // namespace skanu
