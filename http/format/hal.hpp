// HAL: splices links onto stored documents, and joins documents into pages. No stored document is
// parsed here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/errors.hpp"
#include "persistence/store.hpp"

namespace skanu {

inline constexpr std::string_view hal_type = "application/hal+json";

/// Writes an item's JSON object with a link to the item.
std::string hal_item(std::string_view data, std::string_view self);

/// Writes an item's JSON object with several links, the first to the item.
class hal_item_writer {
 public:
  explicit hal_item_writer(std::string_view data);

  /// Adds a link to `base` + "/" + `collection` + "/" + `name` + `suffix`. No part needs an escape
  /// in JSON.
  void link(std::string_view relation, std::string_view base, std::string_view collection,
            std::string_view name, std::string_view suffix = {});

  /// The whole item. Last call.
  std::string take();

 private:
  std::string out_;
};

/// A request for a list, from the query string.
struct page_request {
  std::size_t size = 20;
  std::int64_t number = 0;
  std::optional<entity_id> after;  ///< Go on after the id; costs the same at any depth.
  bool descending = false;
  std::optional<std::string> status;
  std::optional<instant> from, until;  ///< A window of the order's time: from ≤ time < until.
};

/// A page, ready to be written.
struct page {
  std::string collection;  ///< The name under _embedded.
  std::string path;        ///< With the links' base, without the query.
  page_request request;
  std::vector<std::string> items = {};    ///< JSON objects.
  std::vector<std::string> damaged = {};  ///< Items left out, as JSON values: ids or phone numbers.
  std::int64_t total = 0;
  std::optional<entity_id> next_after = {};  ///< The page's last id, where more items follow.
  std::optional<entity_id> prev_after = {};  ///< Start of the previous page; 0 for the very start.
  std::optional<entity_id> last_after = {};  ///< Start of the last page; 0 for the very start.
  bool in_window = false;                    ///< Neither the total nor the last page is known.
};

std::string hal_page(const page& p);

/// Writes all items without paging, with a link to the list.
std::string hal_list(const page& p, std::string_view self);

}  // namespace skanu
