#include "http/collections.hpp"

#include "persistence/document.hpp"

namespace skanu {

namespace {

[[noreturn]] void not_found() {
  throw refused{{errc::not_found, "There is nothing of that id."}};
}

/// Where the page before the one that begins at `first` begins: found by looking back.
std::optional<entity_id> key_before(const reading& from, service of, list_query query,
                                    entity_id first, std::size_t size) {
  query.descending = !query.descending;
  query.after = first;
  query.skip = 0;
  query.limit = size + 1;
  const auto back = from.list(of, query);
  if (back.empty()) return std::nullopt;
  return back.size() > size ? back.back().id : 0;
}

/// Where the last page begins.
entity_id key_of_last(const reading& from, service of, list_query query, std::int64_t total,
                      std::size_t size) {
  const auto on_last = static_cast<std::size_t>((total - 1) % static_cast<std::int64_t>(size)) + 1;
  query.descending = !query.descending;
  query.after = 0;
  query.skip = on_last;
  query.limit = 1;
  const auto before = from.list(of, query);
  return before.empty() ? 0 : before.front().id;
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
  const auto document = c.to().read(from.of)->listed_entity(from.of, id);
  if (!document) not_found();
  c.show(*document, from.path_of(id));
}

void show_page(const call& c, const collection& from) {
  page p{.collection = std::string(from.name), .path = "/" + std::string(from.name),
         .request = c.page_wanted()};
  list_query query;
  if (p.request.status) {
    query.status = from.status_of ? from.status_of(*p.request.status) : std::nullopt;
    if (!query.status)
      throw refused{{errc::invalid_field, "A query parameter is wrong.",
                     {{"status", "is not a known status"}}}};
  }
  query.descending = p.request.descending;
  query.after = p.request.after.value_or(0);
  const auto size = p.request.size;
  if (!p.request.after) query.skip = static_cast<std::size_t>(p.request.number) * size;
  query.limit = size + 1;
  const auto now = c.to().read(from.of);
  auto found = now->list(from.of, query);
  p.total = now->count(from.of, query.status);
  if (found.size() > size) {
    found.pop_back();
    p.next_after = found.back().id;
  }
  if (!found.empty() && (p.request.number > 0 || p.request.after))
    p.prev_after = key_before(*now, from.of, query, found.front().id, size);
  p.last_after = p.total == 0 ? 0 : key_of_last(*now, from.of, query, p.total, size);
  for (const auto& item : found)
    p.items.push_back(hal_item(parts_of(item.document).data, from.path_of(item.id)));
  c.send(hal_page(p), hal_type);
}

void show_rows(const call& c, const reading& now, const numbered_rows& from) {
  page p{.collection = from.name, .path = from.path, .request = c.page_wanted()};
  if (p.request.status)
    throw refused{{errc::invalid_field, "A query parameter is wrong.",
                   {{"status", "is not known here"}}}};
  p.total = from.total;
  const auto size = static_cast<std::int64_t>(p.request.size);
  const bool down = p.request.descending;
  const auto after = p.request.after.value_or(0);
  const auto skipped = p.request.after ? 0 : p.request.number * size;
  // Numbers have no gaps, so every place in the list is known.
  const auto first = down ? (after > 0 ? std::min(after - 1, p.total) : p.total - skipped)
                          : after + skipped + 1;
  const auto left = down ? first : p.total - first + 1;
  if (left > 0) {
    std::string beyond;
    if (left < p.total) {
      beyond = from.prefix;
      append_ordered_key(beyond, down ? first + 1 : first - 1);
    }
    for (auto& row : now.rows(from.of, row_space::rows, from.prefix, beyond, p.request.size, down))
      p.items.push_back(std::move(row.value));
  }
  if (left > size) p.next_after = down ? first - size + 1 : first + size - 1;
  if (left > 0 && left < p.total) {
    const auto before = down ? first + size + 1 : first - size - 1;
    p.prev_after = before < 0 || before > p.total ? 0 : before;
  }
  const auto before_last = p.total == 0 ? 0 : (p.total - 1) / size * size;
  p.last_after = down && before_last > 0 ? p.total - before_last + 1 : before_last;
  c.send(hal_page(p), hal_type);
}

}  // namespace skanu
