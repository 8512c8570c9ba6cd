// The keys of a service's tables, and the rows that the store itself keeps in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// The meta row with the epoch that commits must name.
inline constexpr std::string_view epoch_key = "epoch";
/// The front of the meta rows that count the listed entities of a status.
inline constexpr std::string_view count_prefix = "count:";

table table_of(service s, row_space space);

/// A listed entity's key in the status index.
std::string status_key(std::uint8_t status, entity_id id);
std::string count_key(std::uint8_t status);

/// The integer that a row of the store's own spells; 0 where there is no row. Throws store_error.
std::int64_t integer_in(std::optional<std::string_view> text);

/// The number of entities that the status index lists, in one status or in all: a scan of them.
std::int64_t indexed_count(const table_reader& tables, service s,
                           std::optional<std::uint8_t> status);

/// The stored count of a status. A damaged or missing one is no loss: the index is counted instead.
std::int64_t count_in(const table_reader& tables, const seals& sealed, service s,
                      std::uint8_t status);

/// The offset of a log's last event; 0 for an empty log. `is_ordered` is false if a damaged key
/// lies above: then events cannot be appended behind the table's last key.
struct log_tail {
  log_offset last = 0;
  bool is_ordered = true;
};
log_tail tail_of_log(const table_reader& tables, const seals& sealed, service s);

}  // namespace skanu
