#include "persistence/order_window.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace skanu {

namespace {

constexpr entity_id no_end = std::numeric_limits<entity_id>::max();
/// Damaged neighbours that a search passes over before it gives up on their place.
constexpr int most_damaged = 100;

/// The ids of a window: begin ≤ id < end.
struct id_range {
  entity_id begin = 1;
  entity_id end = no_end;

  bool has(entity_id id) const { return id >= begin && id < end; }
};

id_range range_of(const snapshot& from, service s, const page_query& wanted) {
  id_range ids;
  if (wanted.from) ids.begin = first_ordered_since(from, s, *wanted.from);
  if (wanted.until) ids.end = first_ordered_since(from, s, *wanted.until);
  return ids;
}

/// The first sound item at `id` or behind.
std::optional<stored_entity> sound_item(const snapshot& from, service s, entity_id id) {
  for (int i = 0; i < most_damaged; ++i) {
    auto found = from.list(s, {.after = id - 1, .limit = 1});
    if (found.empty()) return std::nullopt;
    if (!found.front().damaged) return std::move(found.front());
    id = found.front().id + 1;
  }
  return std::nullopt;
}

/// Removes the items outside of the range, all at the end.
void cut(std::vector<stored_entity>& items, const id_range& ids) {
  const auto outside =
      std::ranges::find_if(items, [&](const stored_entity& e) { return !ids.has(e.id); });
  items.erase(outside, items.end());
}

/// The key in front of the range, in the direction of the list; 0: the start of the whole list.
entity_id key_in_front(const id_range& ids, bool descending) {
  if (descending) return ids.end == no_end ? 0 : ids.end;
  return ids.begin - 1;
}

/// The later of two keys in the direction of the list.
entity_id later_key(entity_id a, entity_id b, bool descending) {
  if (a == 0 || b == 0) return std::max(a, b);
  return descending ? std::min(a, b) : std::max(a, b);
}

/// The key of the page before; nullopt on the window's first page.
std::optional<entity_id> key_before(const snapshot& from, service s, list_query query,
                                    const id_range& ids, entity_id first, std::size_t size) {
  query.descending = !query.descending;
  query.after = first;
  query.skip = 0;
  query.limit = size + 1;
  auto back = from.list(s, query);
  cut(back, ids);
  if (back.empty()) return std::nullopt;
  return back.size() > size ? back.back().id : 0;
}

}  // namespace

std::optional<instant> ordered_at(std::string_view document) {
  // A quote in a client's text is escaped: the text matches nothing.
  constexpr std::string_view key = R"("orderedAt":")";
  constexpr std::size_t length = 24;
  const auto found = document.find(key);
  if (found == document.npos) return std::nullopt;
  return from_rfc3339(document.substr(found + key.size(), length));
}

entity_id first_ordered_since(const snapshot& from, service s, instant t) {
  const auto newest = from.list(s, {.descending = true, .limit = 1});
  if (newest.empty()) return 1;
  // A power of two: the probes, and so the border, stay the same while ids are added.
  const auto above = std::bit_ceil(static_cast<std::uint64_t>(newest.front().id) + 1);
  entity_id low = 1, high = static_cast<entity_id>(above);
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto found = sound_item(from, s, middle);
    const auto time = found ? ordered_at(found->document) : std::nullopt;
    if (!found || found->id >= high || (time && *time >= t)) {
      high = middle;
    } else {
      low = found->id + 1;
    }
  }
  return low;
}

stored_page page_in_window(const snapshot& from, service s, const page_query& wanted) {
  const auto ids = range_of(from, s, wanted);
  stored_page p{.in_window = true};
  if (ids.begin >= ids.end) return p;
  const auto size = wanted.size;
  list_query query{.status = wanted.status,
                   .after = later_key(wanted.after.value_or(0),
                                      key_in_front(ids, wanted.descending), wanted.descending),
                   .descending = wanted.descending,
                   .limit = size + 1};
  if (!wanted.after) query.skip = static_cast<std::size_t>(wanted.number) * size;
  p.items = from.list(s, query);
  cut(p.items, ids);
  if (p.items.size() > size) {
    p.items.pop_back();
    p.next_after = p.items.back().id;
  }
  if (!p.items.empty() && (wanted.number > 0 || wanted.after))
    p.prev_after = key_before(from, s, query, ids, p.items.front().id, size);
  return p;
}

}  // namespace skanu
