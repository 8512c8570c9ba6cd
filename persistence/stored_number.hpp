// Numbers in the text of rows.
#pragma once

#include <charconv>

#include "messages/fields.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// Returns the number in a row's text, 0 or more. Throws decode_error with the row's name.
inline std::int64_t stored_number(std::string_view text, std::string_view row) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number < 0)
    throw decode_error("the row " + std::string(row) + " is damaged: it is not a number");
  return number;
}

/// Returns the number in a meta row; 0 without a row. Throws store_error and decode_error.
inline std::int64_t meta_number(const snapshot& from, service of, std::string_view key) {
  const auto row = from.row(of, row_space::meta, key);
  return row ? stored_number(*row, std::string(name_of(of)) + "/" + std::string(key)) : 0;
}

}  // namespace skanu
