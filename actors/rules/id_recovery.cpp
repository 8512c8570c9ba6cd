#include "actors/rules/id_recovery.hpp"

#include <algorithm>

#include "actors/rules/id_blocks.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/stored_number.hpp"

namespace skanu {

namespace {

/// Throws store_error for a stored entity beyond the reserved ids: checkout would hand the id out
/// again.
void refuse_beyond(entity_id reserved, const snapshot& from, service s) {
  auto beyond = from.list(s, {.after = reserved, .limit = 1});
  if (beyond.empty()) beyond = from.tombstones(s, reserved, 1);
  if (!beyond.empty())
    throw store_error(errc::undecodable, "the row order/" + std::string(reserved_ids_key) +
                                             " is damaged: there is " + std::string(name_of(s)) +
                                             " " + std::to_string(beyond.front().id) +
                                             ", and it says " + std::to_string(reserved));
}

struct id_range {
  entity_id first = 0, last = 0;
};

std::vector<id_range> skipped_ranges(const snapshot& orders) {
  const auto row = orders.row(service::order, row_space::meta, skipped_ids_key);
  std::vector<id_range> ranges;
  for (std::string_view rest = row ? *row : std::string_view{}; !rest.empty();) {
    const auto one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto dash = std::min(one.find('-'), one.size());
    ranges.push_back({stored_number(one.substr(0, dash), skipped_ids_key),
                      stored_number(one.substr(std::min(dash + 1, one.size())), skipped_ids_key)});
  }
  return ranges;
}

const id_range* range_with(const std::vector<id_range>& ranges, entity_id id) {
  const auto found = std::ranges::find_if(
      ranges, [id](const id_range& r) { return r.first <= id && id <= r.last; });
  return found == ranges.end() ? nullptr : &*found;
}

}  // namespace

id_recovery recover_ids(const snapshot& orders, bool with_payments) {
  id_recovery found;
  const auto reserved = meta_number(orders, service::order, reserved_ids_key);
  const auto floor = meta_number(orders, service::order, decided_ids_key);
  refuse_beyond(reserved, orders, service::order);
  if (with_payments) refuse_beyond(reserved, orders, service::payment);
  const auto skipped = skipped_ranges(orders);
  for (auto id = std::max<entity_id>(floor, 1); id <= reserved; ++id) {
    if (const auto* range = range_with(skipped, id)) {
      id = range->last;
      continue;
    }
    if (!orders.entity(service::order, id) &&
        (!with_payments || orders.entity(service::payment, id)))
      found.undecided.push_back(id);
  }
  found.next = reserved + 1;
  found.too_old = meta_number(orders, service::order, too_old_key);
  return found;
}

entity_id last_known_order_id(const snapshot& from, service s) {
  using enum service;
  const bool by_order = s == order || s == payment || s == delivery || s == ordertrace;
  if (!by_order) return 0;
  const auto last = from.list(s, {.descending = true, .limit = 1});
  const auto stored = last.empty() ? 0 : last.front().id;
  return s == service::order ? std::max(stored, meta_number(from, s, reserved_ids_key)) : stored;
}

entity_id last_skipped_id(entity_id known, instant now) {
  constexpr std::int64_t ids_per_millisecond = 1'024;
  constexpr instant epoch = std::chrono::sys_days(std::chrono::year{2026} / 1 / 1);
  const auto by_clock = (now - epoch).count() * ids_per_millisecond;
  if (by_clock > known) return by_clock;
  constexpr std::chrono::milliseconds a_day = std::chrono::days(1);
  return known + a_day.count() * ids_per_millisecond;
}

std::vector<row_write> skip_rows(const snapshot& orders, entity_id first, entity_id last) {
  const auto floor = meta_number(orders, service::order, decided_ids_key);
  auto ranges = skipped_ranges(orders);
  std::erase_if(ranges, [floor](const id_range& r) { return r.last < floor; });
  ranges.push_back({first, last});
  std::string text;
  for (const auto& r : ranges)
    text += (text.empty() ? "" : ",") + std::to_string(r.first) + '-' + std::to_string(r.last);
  return {{row_space::meta, std::string(reserved_ids_key), std::to_string(last)},
          {row_space::meta, std::string(skipped_ids_key), std::move(text)}};
}

void skip_ids(store& orders, entity_id last) {
  const auto now = orders.read();
  const auto first = meta_number(*now, service::order, reserved_ids_key) + 1;
  commit c{.of = service::order};
  if (first <= last) c.rows = skip_rows(*now, first, last);
  c.rows.push_back({row_space::meta, std::string(leap_offset_key),
                    std::to_string(now->log_end(service::order) + 1)});
  if (meta_number(*now, service::order, too_old_key) > 0) {
    c.rows.push_back({row_space::meta, std::string(too_old_key), std::nullopt});
    c.rows.push_back(
        {row_space::meta, std::string(decided_ids_key), std::to_string(std::max(first, last + 1))});
  }
  const commit* batch[] = {&c};
  if (const auto failure = orders.write(batch).front())
    throw store_error(*failure, "ids cannot be reserved: " + std::string(name_of(*failure)));
}

log_match compare_log(const snapshot& orders, const order_knowledge& follower) {
  const auto end = orders.log_end(service::order);
  const auto own = stored_lineage(orders, service::order);
  const auto there = timeline_at(own, follower.offset);
  const bool differs = !there.empty() && !follower.timeline.empty() && there != follower.timeline;
  if (follower.offset <= end && !differs) return log_match::same;
  auto seen = follower.seen;
  if (seen.empty() && !follower.timeline.empty()) seen = {{1, follower.timeline}};
  const auto common = common_end(seen, follower.offset, own, end);
  return common < meta_number(orders, service::order, leap_offset_key) ? log_match::skipped
                                                                       : log_match::lost;
}

}  // namespace skanu
