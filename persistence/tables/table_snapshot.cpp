#include "persistence/tables/table_snapshot.hpp"

#include <algorithm>

#include "persistence/tables/batch_plan.hpp"
#include "persistence/tables/reading_progress.hpp"

namespace skanu {

namespace {

/// Longer gaps in a log come from no damaged page, and are not filled with damaged events.
constexpr log_offset longest_hole = 100'000;

}  // namespace

std::optional<std::string> table_snapshot::entity(service s, entity_id id) const {
  auto found = value({s, table_kind::entities}, ordered_key(id));
  if (!found) found = value({s, table_kind::tombstones}, ordered_key(id));
  return found;
}

std::optional<std::string> table_snapshot::entity_for_change(service s, entity_id id) const {
  const auto key = ordered_key(id);
  auto found = careful_.get_for_change({s, table_kind::entities}, key);
  if (!found) found = careful_.get_for_change({s, table_kind::tombstones}, key);
  return found;
}

std::optional<std::string> table_snapshot::listed_entity(service s, entity_id id) const {
  const table entities{s, table_kind::entities};
  const auto key = ordered_key(id);
  auto found = value(entities, key);
  if (found) return found;
  const table index{s, table_kind::status_index};
  for (std::size_t status = 0; status < batch_plan::status_limit; ++status)
    if (reader_->get(index, status_key(static_cast<std::uint8_t>(status), id)))
      throw damaged_value(entities, key);  // the index knows of the lost document
  return found;
}

std::vector<stored_entity> table_snapshot::list(service s, const list_query& query) const {
  std::vector<stored_entity> found;
  auto skip = query.skip;
  const table entities{s, table_kind::entities};
  const auto take = [&](std::string_view key, std::string_view stored) {
    if (skip > 0) {
      --skip;
    } else {
      found.push_back(entity_in(entities, key, stored));
    }
    return found.size() < query.limit;
  };
  if (query.limit == 0) return found;
  if (!query.status) {
    scan(entities, query, {}, take);
    return found;
  }
  const std::string prefix(1, static_cast<char>(*query.status));
  const table index{s, table_kind::status_index};
  scan(index, query, prefix, [&](std::string_view key, std::string_view stored) {
    const auto entry = careful_.read(index, key, stored);
    if (!entry.key.starts_with(prefix)) return !entry.is_placed;
    if (skip > 0) {
      --skip;
      return true;
    }
    found.push_back({number_of_key(std::string_view(entry.key).substr(1)), {}, !entry.value});
    return found.size() < query.limit;
  });
  for (auto& item : found)
    if (!item.damaged) read_document(entities, item);
  return found;
}

std::int64_t table_snapshot::count(service s, std::optional<std::uint8_t> status) const {
  const table meta{s, table_kind::meta};
  if (status) return count_in(*reader_, sealed_, s, *status);
  std::int64_t sum = 0;
  bool damaged = false;
  careful_.scan_up(meta, count_prefix, [&](std::string_view key, std::string_view stored) {
    const auto count = sealed_.open(meta, key, stored);
    // Beside a damaged key, a write may have put a sound key out of order.
    damaged = !count || key < count_prefix;
    if (damaged || !key.starts_with(count_prefix)) return false;
    sum += integer_in(*count);
    return true;
  });
  if (damaged) return indexed_count(*reader_, s, {});
  return sum;
}

std::vector<stored_entity> table_snapshot::tombstones(service s, entity_id after,
                                                      std::size_t limit) const {
  std::vector<stored_entity> found;
  const table tombstones{s, table_kind::tombstones};
  reader_->scan_up(tombstones, ordered_key(after + 1),
                   [&](std::string_view key, std::string_view stored) {
                     if (found.size() == limit) return false;
                     found.push_back(entity_in(tombstones, key, stored));
                     return true;
                   });
  return found;
}

std::vector<index_entry> table_snapshot::status_index(service s, index_entry after,
                                                      std::size_t limit) const {
  std::vector<index_entry> found;
  reader_->scan_up(
      {s, table_kind::status_index}, status_key(after.status, after.id + 1),
      [&](std::string_view key, std::string_view) {
        if (found.size() == limit) return false;
        found.push_back({static_cast<std::uint8_t>(key.front()), number_of_key(key.substr(1))});
        return true;
      });
  return found;
}

std::vector<logged_event> table_snapshot::events(service s, log_offset from, std::size_t limit,
                                                 std::size_t max_bytes) const {
  std::vector<logged_event> found;
  std::vector<std::size_t> holes;  ///< Places in `found` of the events passed over.
  std::size_t bytes = 0, unplaced = 0;
  auto next = std::max<log_offset>(from, 1);
  const auto has_room = [&] { return found.size() < limit && bytes <= max_bytes; };
  const table log{s, table_kind::log};
  careful_.scan_up(log, ordered_key(from), [&](std::string_view key, std::string_view stored) {
    if (!has_room()) return false;
    note_reading(log);
    const auto entry = careful_.read(log, key, stored);
    const auto offset = number_of_key(entry.key);
    if (!entry.is_placed && offset != next) ++unplaced;
    if (offset < next || (!entry.is_placed && offset != next)) return true;
    if (offset - next > longest_hole) next = offset;
    for (; next < offset && has_room(); ++next) {
      holes.push_back(found.size());
      found.push_back({next, {}, true});
    }
    if (!has_room()) return false;
    found.push_back({next++, std::string(entry.value.value_or(std::string_view())), !entry.value});
    bytes += found.back().damaged ? stored.size() : found.back().body.size();
    unplaced = 0;
    return true;
  });
  for (; unplaced > 0 && has_room(); --unplaced) found.push_back({next++, {}, true});
  for (const auto hole : holes) look_again(log, found[hole]);
  return found;
}

std::optional<std::string> table_snapshot::row(service s, row_space space,
                                               std::string_view key) const {
  return value(table_of(s, space), key);
}

std::vector<stored_row> table_snapshot::rows(service s, row_space space, std::string_view prefix,
                                             std::string_view after, std::size_t limit,
                                             bool descending) const {
  std::vector<stored_row> found;
  const auto t = table_of(s, space);
  const auto take = [&](std::string_view key, std::string_view stored) {
    if (found.size() == limit) return false;
    auto entry = careful_.read(t, key, stored);
    if (!entry.key.starts_with(prefix)) return !entry.is_placed;
    if (entry.key == after) return true;
    note_reading(t);
    found.push_back({std::move(entry.key), std::string(entry.value.value_or(std::string_view())),
                     !entry.value});
    return true;
  };
  if (!descending) {
    careful_.scan_up(t, std::max(prefix, after), take);
  } else {
    const auto end = std::string(prefix) + std::string(16, '\xff');
    careful_.scan_down(t, after.empty() ? end : std::min<std::string_view>(end, after), take);
  }
  return found;
}

std::vector<table_check> table_snapshot::check_values(service s) const {
  reader_->check_free_pages();
  std::vector<table_check> checks;
  for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
    const table t{s, static_cast<table_kind>(kind)};
    auto& check = checks.emplace_back(table_check{name_of(t)});
    std::optional<std::string> last;
    reader_->scan_up(t, {}, [&](std::string_view key, std::string_view stored) {
      note_reading(t);
      const bool sound = sealed_.verified(t, key, stored).has_value();
      if (sound && last && key <= *last) {  // or the scan would turn in circles
        ++check.damaged;
        check.named.push_back(shown_key(t, key) + ", which is out of order,");
        return false;
      }
      if (sound) last.emplace(key);
      check_value(check, t, key, stored);
      return true;
    });
  }
  return checks;
}

std::optional<std::string> table_snapshot::value(table t, std::string_view key) const {
  return careful_.get(t, key);
}

void table_snapshot::read_document(table entities, stored_entity& listed) const {
  note_reading(entities);
  try {
    auto document = careful_.get(entities, ordered_key(listed.id));
    listed.damaged = !document;  // lost
    if (document) listed.document = std::move(*document);
  } catch (const damaged_value&) {
    listed.damaged = true;
  }
}

void table_snapshot::look_again(table log, logged_event& passed_over) const {
  try {
    if (auto body = careful_.get(log, ordered_key(passed_over.offset)))
      passed_over = {passed_over.offset, std::move(*body), false};
  } catch (const damaged_value&) {
    // stays damaged
  }
}

stored_entity table_snapshot::entity_in(table t, std::string_view key,
                                        std::string_view stored) const {
  note_reading(t);
  const auto entry = careful_.read(t, key, stored);
  return {number_of_key(entry.key), std::string(entry.value.value_or(std::string_view())),
          !entry.value};
}

void table_snapshot::check_value(table_check& check, table t, std::string_view key,
                                 std::string_view stored) const {
  constexpr std::size_t most_named = 10;
  ++check.values;
  if (!sealed_.open(t, key, stored)) {
    ++check.damaged;
    if (check.named.size() == most_named) return;
    const auto written = sealed_.written_key(t, key, stored);
    check.named.push_back(written ? shown_key(t, *written) + ", which stands under a damaged key,"
                                  : shown_key(t, key));
  } else if (needs_seal(t, key) && !has_seal(stored)) {
    ++check.without_checksum;
  }
}

void table_snapshot::scan(table t, const list_query& query, const std::string& prefix,
                          const table_reader::visitor& visit) const {
  if (!query.descending) {
    careful_.scan_up(t, prefix + ordered_key(query.after + 1), visit);
  } else {
    const auto below = query.after > 0 ? query.after : max_safe_integer + 1;
    careful_.scan_down(t, prefix + ordered_key(below), visit);
  }
}

}  // namespace skanu
