// Checksums of stored values: every value is stored with a checksum, and every read verifies it.
//
//   value ‖ 0x1E ‖ eight lower-case hexadecimal digits
//
// The digits are the low 32 bits of XXH3 (64 bit) over the value, seeded with the hash of the
// table's name and the key: so a value under another key or in another table counts as damaged as
// well. The separator occurs in no JSON text and no number. An entry of an index table has an empty
// value, and the checksum protects the key; the entries of older programs have no checksum.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// The meta key of the format of a service's tables. Readable to any version, so without a
/// checksum.
inline constexpr std::string_view format_key = "format";
/// The format's value: written today, and by a program without checksums.
inline constexpr std::string_view stored_format = "skanu 2";
inline constexpr std::string_view stored_format_without_checksums = "skanu 1";

/// A stored value differs from the bytes written: the code is errc::damaged, and what() names the
/// value.
class damaged_value : public store_error {
 public:
  damaged_value(table t, std::string_view key);
};

/// Appends a value with its checksum; the bare value if needs_seal() is false.
void append_sealed(std::string& to, table t, std::string_view key, std::string_view value);

/// False for the format of a service's tables.
bool needs_seal(table t, std::string_view key);

/// True if a stored value ends with a checksum, right or wrong.
bool has_seal(std::string_view stored);

/// Verifies the values of a database. Any thread may read after the setup.
class seals {
 public:
  /// Accepts values without a checksum in a service's tables, written by a program without
  /// checksums: a JSON object or, in a meta row, a number.
  void allow_unsealed(service of) { unsealed_allowed_.at(static_cast<std::size_t>(of)) = true; }

  /// Returns the value, a view into `stored`; nullopt for a damaged value.
  std::optional<std::string_view> verified(table t, std::string_view key,
                                           std::string_view stored) const;

  /// Like verified(), but counts a damaged value.
  std::optional<std::string_view> open(table t, std::string_view key,
                                       std::string_view stored) const;

  /// Like open(), but throws damaged_value.
  std::string_view opened(table t, std::string_view key, std::string_view stored) const;

  /// Returns the key of a value found under a key with a single flipped bit: the checksum proves
  /// the written key. Returns nullopt for any other damage.
  std::optional<std::string> written_key(table t, std::string_view key,
                                         std::string_view stored) const;

 private:
  std::array<bool, service_count> unsealed_allowed_{};
};

/// Counts a damaged value. Any thread.
void note_damaged_value();

/// Returns the number of damaged values read by the process so far. Any thread.
std::int64_t damaged_values_met();

/// Returns a key for a log line or an audit: a number or text, without phone numbers.
std::string shown_key(table t, std::string_view key);

}  // namespace skanu
