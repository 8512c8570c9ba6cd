#include "http/api/collections.hpp"

#include "persistence/document.hpp"

namespace skanu {

namespace {

[[noreturn]] void not_found(std::string detail) {
  throw refused{{errc::not_found, std::move(detail)}};
}

/// The requested page of a list, without the status.
page_query query_of(const page_request& wanted) {
  return {.after = wanted.after,
          .number = wanted.number,
          .size = wanted.size,
          .descending = wanted.descending};
}

/// The id of an item, as JSON.
std::string shown(const collection& from, entity_id id) {
  return from.item_name ? '"' + from.item_name(id) + '"' : std::to_string(id);
}

/// Sends a page with rendered items.
void send_page(const call& c, page p, const stored_page& found) {
  p.total = found.total;
  p.next_after = found.next_after;
  p.prev_after = found.prev_after;
  p.last_after = found.last_after;
  c.send(hal_page(p), hal_type);
}

}  // namespace

std::string collection::path_of(entity_id id) const {
  std::string path = "/";
  path += name;
  path += '/';
  path += item_name ? item_name(id) : std::to_string(id);
  return path;
}

void show_item(const call& c, const collection& from, entity_id id) {
  const auto document =
      c.to().read(from.of, [&](const reading& now) { return now.listed_entity(from.of, id); });
  if (!document) not_found("There is nothing of that id.");
  c.show(*document, from.path_of(id));
}

void show_page(const call& c, const collection& from) {
  page p{.collection = std::string(from.name),
         .path = "/" + std::string(from.name),
         .request = c.page_wanted()};
  auto query = query_of(p.request);
  if (p.request.status) {
    query.status = from.status_of ? from.status_of(*p.request.status) : std::nullopt;
    if (!query.status)
      throw refused{{errc::invalid_field,
                     "A query parameter is wrong.",
                     {{"status", "is not a known status"}}}};
  }
  const auto found = c.to().page(from.of, query);
  for (const auto& item : found.items)
    p.items.push_back(hal_item(parts_of(item.document).data, from.path_of(item.id)));
  for (const auto id : found.damaged) p.damaged.push_back(shown(from, id));
  send_page(c, std::move(p), found);
}

void show_rows(const call& c, const numbered_rows& from) {
  page p{.collection = from.name, .path = from.path, .request = c.page_wanted()};
  if (p.request.status)
    throw refused{
        {errc::invalid_field, "A query parameter is wrong.", {{"status", "is not known here"}}}};
  auto found = c.to().read(from.of, [&](const reading& now) {
    return now.rows_page(from.of, from.id, from.prefix, query_of(p.request));
  });
  if (!found) not_found(from.not_found);
  for (auto& row : found->items) p.items.push_back(std::move(row.document));
  for (const auto number : found->damaged) p.damaged.push_back(std::to_string(number));
  send_page(c, std::move(p), *found);
}

}  // namespace skanu
