// The common part of all collections: items by id, pages by id and key, pages of an entity's rows.
#pragma once

#include <functional>

#include "http/api/call.hpp"

namespace skanu {

/// A link from an item to another resource of the same id.
struct related_link {
  std::string_view relation;
  std::string_view collection;
  std::string_view suffix = {};
  /// Whether an item of this document has the link; null: every item.
  bool (*applies)(std::string_view data) = nullptr;
};

/// A collection: its service, name, status words, item names and links.
struct collection {
  service of;
  std::string_view name;  ///< "orders": the path without its slash, and the name under _embedded.
  /// The stored number of a status word; nullopt for an unknown word.
  std::function<std::optional<std::uint8_t>(std::string_view)> status_of;
  /// Names an item in its path; null: the item's id.
  std::function<std::string(entity_id)> item_name = nullptr;
  std::vector<related_link> related = {};
  bool has_order_time = false;  ///< Its documents have orderedAt.

  std::string name_of(entity_id id) const;
  std::string path_of(entity_id id) const;
  /// The item as HAL, its links behind `base`.
  std::string item(entity_id id, std::string_view data, std::string_view base) const;
};

/// Makes a status filter of an enum's words: all but the first and a hidden word.
template <worded_enum Enum>
std::function<std::optional<std::uint8_t>(std::string_view)> status_words(
    std::optional<Enum> hidden = std::nullopt) {
  return [hidden](std::string_view word) -> std::optional<std::uint8_t> {
    const auto found = value_of_word<Enum>(word);
    if (!found || *found == Enum{} || *found == hidden) return std::nullopt;
    return static_cast<std::uint8_t>(*found);
  };
}

/// Answers 200 with an item and its ETag, or 304 where the client has the same version already.
void show(const call& c, const collection& from, entity_id id, std::string_view document);
/// Answers with the entity after a command, or with the command's refusal.
void answer(const call& c, const outcome& result, int status, const collection& from, entity_id id);

/// Answers with a listed item.
void show_item(const call& c, const collection& from, entity_id id);
/// Answers with a page.
void show_page(const call& c, const collection& from);

/// Rows of an entity, numbered 1, 2, 3 … by the entity's version.
struct numbered_rows {
  service of;
  entity_id id;
  std::string name;  ///< Under _embedded.
  std::string path;
  std::string prefix;     ///< Front of the rows' keys; the number follows.
  std::string not_found;  ///< Detail of the problem where there is no such entity.
};
void show_rows(const call& c, const numbered_rows& from);

}  // namespace skanu
