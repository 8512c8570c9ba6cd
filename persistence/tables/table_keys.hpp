// The keys of a service's tables, and the rows of the store's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// The meta row with the epoch required of commits.
inline constexpr std::string_view epoch_key = "epoch";
/// The prefix of the meta rows with the numbers of listed entities, by status.
inline constexpr std::string_view count_prefix = "count:";

table table_of(service s, row_space space);

/// A listed entity's key in the status index.
std::string status_key(std::uint8_t status, entity_id id);
std::string count_key(std::uint8_t status);

/// Returns the integer in a row of the store's own; 0 without a row. Throws store_error.
std::int64_t integer_in(std::optional<std::string_view> text);

/// Counts the entities in the status index, in a single status or in all, by a scan.
std::int64_t indexed_count(const table_reader& tables, service s,
                           std::optional<std::uint8_t> status);

/// Returns the stored count of a status; for a damaged or missing count, counts the index instead.
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
