// HAL: stored documents with their links spliced on, and pages of them. Nothing stored is parsed
// here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/errors.hpp"
#include "persistence/store.hpp"

namespace skanu {

inline constexpr std::string_view hal_type = "application/hal+json";

/// An item's JSON object with its link to itself.
std::string hal_item(std::string_view data, std::string_view self);

/// A list's request, as the query string said it.
struct page_request {
  std::size_t size = 20;
  std::int64_t number = 0;
  std::optional<entity_id> after;  ///< Go on behind this id: costs the same at any depth.
  bool descending = false;
  std::optional<std::string> status;
};

/// One page, ready to be written.
struct page {
  std::string collection;  ///< The name under _embedded.
  std::string path;        ///< Without the query.
  page_request request;
  std::vector<std::string> items = {};  ///< JSON objects.
  std::vector<std::string> damaged =
      {};  ///< What is left out, as JSON values: ids or phone numbers.
  std::int64_t total = 0;
  std::optional<entity_id> next_after = {};  ///< The last id here, where there is more.
  std::optional<entity_id> prev_after =
      {};  ///< Where the page before begins; 0 for the very start.
  std::optional<entity_id> last_after = {};  ///< Where the last page begins; 0 for the very start.
};

std::string hal_page(const page& p);

/// All there is, without paging: the items and a link to the list itself.
std::string hal_list(const page& p, std::string_view self);

}  // namespace skanu
