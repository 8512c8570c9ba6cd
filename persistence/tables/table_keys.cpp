#include "persistence/tables/table_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace skanu {

std::string ordered_key(std::int64_t value) {
  std::string key;
  append_ordered_key(key, value);
  return key;
}

void append_ordered_key(std::string& key, std::int64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>((value >> shift) & 0xff);
}

std::int64_t number_of_key(std::string_view key) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 8 && i < key.size(); ++i)
    value = value << 8 | static_cast<unsigned char>(key[i]);
  return value;
}

std::string name_of(table t) {
  constexpr std::array<std::string_view, table_kind_count> kinds = {
      "entities",     "tombstones", "status_index",    "log", "rows", "meta",
      "dead_letters", "operations", "operation_expiry"};
  return std::string(name_of(t.of)) + "." + std::string(kinds[static_cast<std::size_t>(t.kind)]);
}

table table_of(service s, row_space space) {
  switch (space) {
    case row_space::rows: return {s, table_kind::rows};
    case row_space::meta: return {s, table_kind::meta};
    case row_space::dead_letters: return {s, table_kind::dead_letters};
    case row_space::operations: return {s, table_kind::operations};
    case row_space::operation_expiry: return {s, table_kind::operation_expiry};
  }
  return {s, table_kind::rows};
}

std::string status_key(std::uint8_t status, entity_id id) {
  std::string key(1, static_cast<char>(status));
  append_ordered_key(key, id);
  return key;
}

std::string count_key(std::uint8_t status) {
  return std::string(count_prefix) + std::to_string(status);
}

std::int64_t integer_in(std::optional<std::string_view> text) {
  std::int64_t value = 0;
  if (!text) return value;
  const auto* end = text->data() + text->size();
  if (const auto read = std::from_chars(text->data(), end, value);
      read.ec != std::errc{} || read.ptr != end)
    throw store_error(errc::undecodable, "a count or an epoch is not a number");
  return value;
}

std::int64_t indexed_count(const table_reader& tables, service s,
                           std::optional<std::uint8_t> status) {
  const auto prefix = status ? std::string(1, static_cast<char>(*status)) : std::string();
  std::int64_t found = 0;
  tables.scan_up({s, table_kind::status_index}, prefix,
                 [&](std::string_view key, std::string_view) {
                   if (!key.starts_with(prefix)) return false;
                   ++found;
                   return true;
                 });
  return found;
}

std::int64_t count_in(const table_reader& tables, const seals& sealed, service s,
                      std::uint8_t status) {
  const table meta{s, table_kind::meta};
  const auto key = count_key(status);
  const auto stored = tables.get(meta, key);
  const auto value = stored ? sealed.open(meta, key, *stored) : std::nullopt;
  return value ? integer_in(*value) : indexed_count(tables, s, status);
}

log_tail tail_of_log(const table_reader& tables, const seals& sealed, service s) {
  const table log{s, table_kind::log};
  log_offset placed = 0, highest = 0, behind = 0;
  tables.scan_down(log, {}, [&](std::string_view key, std::string_view stored) {
    const bool sound = sealed.verified(log, key, stored).has_value();
    const auto written = sound ? std::string(key) : sealed.written_key(log, key, stored);
    highest = std::max(highest, number_of_key(key));
    if (written) placed = std::max(placed, number_of_key(*written));
    if (placed == 0) ++behind;  // an event all the same, and the offsets have no gaps
    return !sound;              // events may have been added below a damaged key
  });
  const auto last = placed + behind;
  // A damaged key a little further on takes the place of a coming event: the log goes on behind the
  // damaged key, and readers see the places between as damaged.
  constexpr log_offset near = 32;
  if (highest > last && highest - last <= near) return {highest, true};
  return {last, highest <= last};
}

}  // namespace skanu
