// Pages of a snapshot's lists, and the keys of the neighbouring pages.
#include <spdlog/spdlog.h>

#include "persistence/document.hpp"
#include "persistence/order_window.hpp"
#include "persistence/store.hpp"

namespace skanu {

namespace {

/// Returns the key of the page before the page that begins at `first`, by a scan backwards.
std::optional<entity_id> key_before(const snapshot& from, service of, list_query query,
                                    entity_id first, std::size_t size) {
  query.descending = !query.descending;
  query.after = first;
  query.skip = 0;
  query.limit = size + 1;
  const auto back = from.list(of, query);
  if (back.empty()) return std::nullopt;
  return back.size() > size ? back.back().id : 0;
}

/// Returns the key of the last page.
entity_id key_of_last(const snapshot& from, service of, list_query query, std::int64_t total,
                      std::size_t size) {
  const auto on_last = static_cast<std::size_t>((total - 1) % static_cast<std::int64_t>(size)) + 1;
  query.descending = !query.descending;
  query.after = 0;
  query.skip = on_last;
  query.limit = 1;
  const auto before = from.list(of, query);
  return before.empty() ? 0 : before.front().id;
}

/// Removes the damaged items from a page, and names the items in `damaged` and in the log.
/// `rows_of` is the entity of the rows, or 0.
void set_damaged_apart(stored_page& p, service s, entity_id rows_of = 0) {
  for (const auto& item : p.items) {
    if (!item.damaged) continue;
    p.damaged.push_back(item.id);
    spdlog::error("event=damaged service={} id={}{}", name_of(s),
                  entity_in_log(s, rows_of != 0 ? rows_of : item.id),
                  rows_of != 0 ? " row=" + std::to_string(item.id) : std::string());
  }
  std::erase_if(p.items, [](const stored_entity& item) { return item.damaged; });
}

std::string key_of_row(std::string_view prefix, std::int64_t number) {
  std::string key(prefix);
  append_ordered_key(key, number);
  return key;
}

/// Reads a row that a scan did not find: a damaged key hides sound rows from a scan.
void look_again(const snapshot& from, service of, std::string_view prefix, stored_entity& row) {
  try {
    auto found = from.row(of, row_space::rows, key_of_row(prefix, row.id));
    if (found) row = {row.id, std::move(*found), false};
  } catch (const store_error& problem) {
    if (problem.code() != errc::damaged) throw;
  }
}

}  // namespace

stored_page snapshot::page(service s, const page_query& wanted) const {
  if (wanted.from || wanted.until) {
    auto p = page_in_window(*this, s, wanted);
    set_damaged_apart(p, s);
    return p;
  }
  const auto size = wanted.size;
  list_query query{.status = wanted.status,
                   .after = wanted.after.value_or(0),
                   .descending = wanted.descending,
                   .limit = size + 1};
  if (!wanted.after) query.skip = static_cast<std::size_t>(wanted.number) * size;
  stored_page p{.items = list(s, query), .total = count(s, query.status)};
  if (p.items.size() > size) {
    p.items.pop_back();
    p.next_after = p.items.back().id;
  }
  if (!p.items.empty() && (wanted.number > 0 || wanted.after))
    p.prev_after = key_before(*this, s, query, p.items.front().id, size);
  p.last_after = p.total == 0 ? 0 : key_of_last(*this, s, query, p.total, size);
  set_damaged_apart(p, s);
  return p;
}

std::optional<stored_page> snapshot::rows_page(service s, entity_id id, std::string_view prefix,
                                               const page_query& wanted) const {
  const auto document = listed_entity(s, id);
  if (!document) return std::nullopt;
  stored_page p{.total = parts_of(*document).version};
  const auto size = static_cast<std::int64_t>(wanted.size);
  const bool down = wanted.descending;
  const auto after = wanted.after.value_or(0);
  const auto skipped = wanted.after ? 0 : wanted.number * size;
  // The numbers have no gaps: the position of every row is known, and a missing row is damaged.
  const auto first =
      down ? (after > 0 ? std::min(after - 1, p.total) : p.total - skipped) : after + skipped + 1;
  const auto left = down ? first : p.total - first + 1;
  if (left > 0) {
    std::string beyond;
    if (left < p.total) beyond = key_of_row(prefix, down ? first + 1 : first - 1);
    for (std::int64_t i = 0; i < std::min(left, size); ++i)
      p.items.push_back({down ? first - i : first + i, {}, true});
    for (auto& row : rows(s, row_space::rows, prefix, beyond, wanted.size, down)) {
      if (row.damaged || row.key.size() != prefix.size() + 8) continue;
      const auto number = number_of_key(std::string_view(row.key).substr(prefix.size()));
      const auto place = down ? first - number : number - first;
      if (place >= 0 && place < std::ssize(p.items))
        p.items[static_cast<std::size_t>(place)] = {number, std::move(row.value), false};
    }
    for (auto& item : p.items)
      if (item.damaged) look_again(*this, s, prefix, item);
  }
  if (left > size) p.next_after = down ? first - size + 1 : first + size - 1;
  if (left > 0 && left < p.total) {
    const auto before = down ? first + size + 1 : first - size - 1;
    p.prev_after = before < 0 || before > p.total ? 0 : before;
  }
  const auto before_last = p.total == 0 ? 0 : (p.total - 1) / size * size;
  p.last_after = down && before_last > 0 ? p.total - before_last + 1 : before_last;
  set_damaged_apart(p, s, id);
  return p;
}

}  // namespace skanu
