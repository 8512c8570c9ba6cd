// What all collections share: items by id, pages by id and key, pages of an entity's rows.
#pragma once

#include <functional>

#include "http/api/call.hpp"

namespace skanu {

/// A collection: where it lives, and what its status words mean.
struct collection {
  service of;
  std::string_view name;  ///< "orders": the path without its slash, and the name under _embedded.
  /// The stored number of a status word; nothing for a word that is none.
  std::function<std::optional<std::uint8_t>(std::string_view)> status_of;
  /// What names an item in its path; its id, where nothing is said.
  std::function<std::string(entity_id)> item_name = nullptr;

  std::string path_of(entity_id id) const;
};

/// The words of an enum as a collection's status filter: all but its first and a hidden one.
template <worded_enum Enum>
std::function<std::optional<std::uint8_t>(std::string_view)> status_words(
    std::optional<Enum> hidden = std::nullopt) {
  return [hidden](std::string_view word) -> std::optional<std::uint8_t> {
    const auto found = value_of_word<Enum>(word);
    if (!found || *found == Enum{} || *found == hidden) return std::nullopt;
    return static_cast<std::uint8_t>(*found);
  };
}

/// Answers with one listed item.
void show_item(const call& c, const collection& from, entity_id id);
/// Answers with one page.
void show_page(const call& c, const collection& from);

/// Rows of an entity that are numbered 1, 2, 3 … by its version.
struct numbered_rows {
  service of;
  entity_id id;
  std::string name;  ///< Under _embedded.
  std::string path;
  std::string prefix;     ///< Of the rows' keys; the number follows.
  std::string not_found;  ///< What is said where there is no such entity.
};
void show_rows(const call& c, const numbered_rows& from);

}  // namespace skanu
