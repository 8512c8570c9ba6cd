#include "persistence/tables/table_snapshot.hpp"

#include <algorithm>

#include "persistence/tables/reading_progress.hpp"

namespace skanu {

std::optional<std::string> table_snapshot::entity(service s, entity_id id) const {
  auto found = value({s, table_kind::entities}, ordered_key(id));
  if (!found) found = value({s, table_kind::tombstones}, ordered_key(id));
  return found;
}

std::optional<std::string> table_snapshot::listed_entity(service s, entity_id id) const {
  return value({s, table_kind::entities}, ordered_key(id));
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
  scan({s, table_kind::status_index}, query, prefix, [&](std::string_view key, std::string_view) {
    if (!key.starts_with(prefix)) return false;
    key.remove_prefix(1);
    if (skip > 0) return take(key, {});
    const auto document = reader_->get(entities, key);
    if (!document) throw store_error(errc::undecodable, "the status index names a lost entity");
    return take(key, *document);
  });
  return found;
}

std::int64_t table_snapshot::count(service s, std::optional<std::uint8_t> status) const {
  const table meta{s, table_kind::meta};
  if (status) return count_in(*reader_, sealed_, s, *status);
  std::int64_t sum = 0;
  bool damaged = false;
  reader_->scan_up(meta, count_prefix, [&](std::string_view key, std::string_view stored) {
    if (!key.starts_with(count_prefix)) return false;
    const auto count = sealed_.open(meta, key, stored);
    if (count) sum += integer_in(*count);
    damaged = !count;
    return !damaged;
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
  std::size_t bytes = 0;
  const table log{s, table_kind::log};
  reader_->scan_up(log, ordered_key(from), [&](std::string_view key, std::string_view stored) {
    if (found.size() == limit || bytes > max_bytes) return false;
    note_reading(log);
    const auto body = sealed_.open(log, key, stored);
    found.push_back({number_of_key(key), std::string(body.value_or(std::string_view())), !body});
    bytes += body ? body->size() : stored.size();
    return true;
  });
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
    if (!key.starts_with(prefix) || found.size() == limit) return false;
    if (key == after) return true;
    note_reading(t);
    const auto value = sealed_.open(t, key, stored);
    found.push_back({std::string(key), std::string(value.value_or(std::string_view())), !value});
    return true;
  };
  if (!descending) {
    reader_->scan_up(t, std::max(prefix, after), take);
  } else {
    const auto end = std::string(prefix) + std::string(16, '\xff');
    reader_->scan_down(t, after.empty() ? end : std::min<std::string_view>(end, after), take);
  }
  return found;
}

std::vector<table_check> table_snapshot::check_values(service s) const {
  std::vector<table_check> checks;
  for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
    const table t{s, static_cast<table_kind>(kind)};
    auto& check = checks.emplace_back(table_check{name_of(t)});
    std::optional<std::string> last;
    reader_->scan_up(t, {}, [&](std::string_view key, std::string_view stored) {
      note_reading(t);
      if (last && key <= *last) {  // or it would turn in circles
        ++check.damaged;
        check.named.push_back(shown_key(t, key) + ", which is out of order,");
        return false;
      }
      last.emplace(key);
      check_value(check, t, key, stored);
      return true;
    });
  }
  return checks;
}

std::optional<std::string> table_snapshot::value(table t, std::string_view key) const {
  const auto stored = reader_->get(t, key);
  if (!stored) return std::nullopt;
  return std::string(sealed_.opened(t, key, *stored));
}

stored_entity table_snapshot::entity_in(table t, std::string_view key,
                                        std::string_view stored) const {
  note_reading(t);
  const auto document = sealed_.open(t, key, stored);
  return {number_of_key(key), std::string(document.value_or(std::string_view())), !document};
}

void table_snapshot::check_value(table_check& check, table t, std::string_view key,
                                 std::string_view stored) const {
  constexpr std::size_t most_named = 10;
  ++check.values;
  if (!sealed_.open(t, key, stored)) {
    ++check.damaged;
    if (check.named.size() < most_named) check.named.push_back(shown_key(t, key));
  } else if (needs_seal(t, key, stored) && !has_seal(stored)) {
    ++check.without_checksum;
  }
}

void table_snapshot::scan(table t, const list_query& query, const std::string& prefix,
                          const table_reader::visitor& visit) const {
  if (!query.descending) {
    reader_->scan_up(t, prefix + ordered_key(query.after + 1), visit);
  } else {
    const auto below = query.after > 0 ? query.after : max_safe_integer + 1;
    reader_->scan_down(t, prefix + ordered_key(below), visit);
  }
}

}  // namespace skanu
