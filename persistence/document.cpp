#include "persistence/document.hpp"

#include <charconv>

namespace skanu {

document_parts parts_of(std::string_view document) {
  constexpr std::string_view version_key = R"("version":)";
  constexpr std::string_view data_key = R"(,"data":)";
  document_parts parts;
  const auto version = document.find(version_key);
  const auto data = document.find(data_key);
  if (version == document.npos || data == document.npos || data < version || document.back() != '}')
    throw decode_error("not a stored document");
  const auto* digits = document.data() + version + version_key.size();
  const auto read = std::from_chars(digits, document.data() + data, parts.version);
  if (read.ec != std::errc{} || *read.ptr != ',' || parts.version < 1)
    throw decode_error("a document without a version");
  parts.data = document.substr(data + data_key.size());
  parts.data.remove_suffix(1);
  return parts;
}

}  // namespace skanu
