#include "http/api/collections.hpp"

#include "persistence/document.hpp"

namespace skanu {

namespace {

[[noreturn]] void not_found(std::string detail) {
  throw refused{{errc::not_found, std::move(detail)}};
}

[[noreturn]] void refuse_window() {
  throw refused{
      {errc::invalid_field,
       "Orders, payments and traces are listed by the time of the order; other lists are not.",
       {{"from", "is not known here"}, {"to", "is not known here"}}}};
}

/// The requested page of a list, without the status.
page_query query_of(const page_request& wanted) {
  return {.after = wanted.after,
          .number = wanted.number,
          .size = wanted.size,
          .descending = wanted.descending,
          .from = wanted.from,
          .until = wanted.until};
}

/// The id of an item, as JSON.
std::string shown(const collection& from, entity_id id) {
  return from.item_name ? '"' + from.item_name(id) + '"' : std::to_string(id);
}

std::string etag_of(version_number version) { return '"' + std::to_string(version) + '"'; }

/// Sends a page with rendered items.
void send_page(const call& c, page p, const stored_page& found) {
  p.total = found.total;
  p.next_after = found.next_after;
  p.prev_after = found.prev_after;
  p.last_after = found.last_after;
  p.in_window = found.in_window;
  c.send(hal_page(p), hal_type);
}

}  // namespace

std::string collection::name_of(entity_id id) const {
  return item_name ? item_name(id) : std::to_string(id);
}

std::string collection::path_of(entity_id id) const {
  std::string path = "/";
  path += name;
  path += '/';
  path += name_of(id);
  return path;
}

std::string collection::item(entity_id id, std::string_view data, std::string_view base) const {
  const auto own_name = name_of(id);
  hal_item_writer writer(data);
  writer.link("self", base, name, own_name);
  for (const auto& other : related)
    if (other.applies == nullptr || other.applies(data))
      writer.link(other.relation, base, other.collection, own_name, other.suffix);
  return writer.take();
}

void show(const call& c, const collection& from, entity_id id, std::string_view document) {
  const auto parts = parts_of(document);
  c.out().set_header("ETag", etag_of(parts.version));
  if (is_known_to_client(c.in(), std::to_string(parts.version))) {
    c.out().status = 304;
    return;
  }
  c.send(from.item(id, parts.data, c.base()), hal_type);
}

void answer(const call& c, const outcome& result, int status, const collection& from,
            entity_id id) {
  if (const auto* e = std::get_if<error>(&result)) return c.refuse(*e);
  const auto& done = std::get<accepted>(result);
  if (!done.document) return c.refuse(error{errc::undecodable, "Its document could not be found."});
  const auto parts = parts_of(*done.document);
  c.send(from.item(id, parts.data, c.base()), hal_type);
  c.out().set_header("ETag", etag_of(parts.version));
  if (status == 201) c.out().set_header("Location", std::string(c.base()) + from.path_of(id));
  c.out().status = status;
}

void show_item(const call& c, const collection& from, entity_id id) {
  const auto document =
      c.to().read(from.of, [&](const reading& now) { return now.listed_entity(from.of, id); });
  if (!document) not_found("There is nothing of that id.");
  show(c, from, id, *document);
}

void show_page(const call& c, const collection& from) {
  page p{.collection = std::string(from.name),
         .path = std::string(c.base()) + '/' + std::string(from.name),
         .request = c.page_wanted()};
  auto query = query_of(p.request);
  if (p.request.status) {
    query.status = from.status_of ? from.status_of(*p.request.status) : std::nullopt;
    if (!query.status)
      throw refused{{errc::invalid_field,
                     "A query parameter is wrong.",
                     {{"status", "is not a known status"}}}};
  }
  const bool by_time = query.from || query.until;
  if (by_time && !from.has_order_time) refuse_window();
  const auto found = c.to().page(from.of, query);
  if (by_time && !found.in_window)
    throw refused{{errc::service_away,
                   "The service is of an earlier version, and cannot tell the times of orders."}};
  for (const auto& item : found.items)
    p.items.push_back(from.item(item.id, parts_of(item.document).data, c.base()));
  for (const auto id : found.damaged) p.damaged.push_back(shown(from, id));
  send_page(c, std::move(p), found);
}

void show_rows(const call& c, const numbered_rows& from) {
  page p{.collection = from.name,
         .path = std::string(c.base()) + from.path,
         .request = c.page_wanted()};
  if (p.request.status)
    throw refused{
        {errc::invalid_field, "A query parameter is wrong.", {{"status", "is not known here"}}}};
  if (p.request.from || p.request.until) refuse_window();
  auto found = c.to().read(from.of, [&](const reading& now) {
    return now.rows_page(from.of, from.id, from.prefix, query_of(p.request));
  });
  if (!found) not_found(from.not_found);
  for (auto& row : found->items) p.items.push_back(std::move(row.document));
  for (const auto number : found->damaged) p.damaged.push_back(std::to_string(number));
  send_page(c, std::move(p), *found);
}

}  // namespace skanu
