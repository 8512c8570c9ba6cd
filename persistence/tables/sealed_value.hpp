// Checksums of stored values: every value is stored with one behind it, which every read verifies.
//
//   value ‖ 0x1E ‖ eight lower-case hexadecimal digits
//
// The digits are the low 32 bits of XXH3 (64 bit) over the value, seeded with that of its table's
// name and key: so a value under another key or in another table is damaged as well. The separator
// occurs in no JSON text and no number. The empty values of index tables carry none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// The meta row that says what wrote a service's tables. Any version reads it, so it stays plain.
inline constexpr std::string_view format_key = "format";
/// Its value: written today, and by a program without checksums.
inline constexpr std::string_view stored_format = "skanu 2";
inline constexpr std::string_view stored_format_without_checksums = "skanu 1";

/// A stored value that is not what was written: its code is errc::damaged, and what() names it.
class damaged_value : public store_error {
 public:
  damaged_value(table t, std::string_view key);
};

/// Appends a value with its checksum; the value alone where it carries none.
void append_sealed(std::string& to, table t, std::string_view key, std::string_view value);

/// Whether a value carries a checksum.
bool needs_seal(table t, std::string_view key, std::string_view value);

/// Whether a stored value ends with a checksum, right or wrong.
bool has_seal(std::string_view stored);

/// Verifies the values of one database. Reading is for any thread, once it is set up.
class seals {
 public:
  /// In tables of a program without checksums a value without one is sound where it looks whole: a
  /// JSON object, or among the meta rows a number.
  void allow_unsealed(service of) { unsealed_allowed_.at(static_cast<std::size_t>(of)) = true; }

  /// The value, a view into `stored`; nothing where it is damaged, which is counted.
  std::optional<std::string_view> open(table t, std::string_view key,
                                       std::string_view stored) const;

  /// The same; throws damaged_value.
  std::string_view opened(table t, std::string_view key, std::string_view stored) const;

 private:
  std::array<bool, service_count> unsealed_allowed_{};
};

/// How many damaged values this process has met while it read; any thread.
std::int64_t damaged_values_met();

/// A key as a log line or an audit shows it: a number or text, without phone numbers.
std::string shown_key(table t, std::string_view key);

}  // namespace skanu
