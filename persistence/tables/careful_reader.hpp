// Reads of tables with perhaps damaged keys. A flipped bit in a key hides the key's value, and
// misleads a database's search for other keys in the same page: the search then ends beside the
// damaged key. So a missing key counts as absent only between sound neighbours, and a scan begins
// between sound neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// Both arguments outlive the reader.
class careful_reader {
 public:
  careful_reader(const table_reader& tables, const seals& sealed)
      : tables_(tables), sealed_(sealed) {}

  /// Returns the value of a key, also from beside a damaged key; nullopt for an absent key. Throws
  /// damaged_value for a damaged value, and for a value under a damaged key.
  std::optional<std::string> get(table t, std::string_view key) const;

  /// Like get(), for the base of a change. Throws damaged_value also for a value beside a damaged
  /// key, and for an absent key with a damaged key at its place: a database's write would find the
  /// same wrong place, and put a sound key out of order.
  std::optional<std::string> get_for_change(table t, std::string_view key) const;

  // Scans like table_reader. Entries of damaged keys are visited at the stored place among the
  // sound keys.

  void scan_up(table t, std::string_view from, const table_reader::visitor& visit) const;
  void scan_down(table t, std::string_view below, const table_reader::visitor& visit) const;

  /// An entry as written.
  struct entry {
    std::string key;  ///< The written key, or the stored key of a value with other damage.
    std::optional<std::string_view> value;  ///< nullopt: damaged.
    bool is_placed = true;                  ///< False if the written key is unknown.
  };
  /// Counts damage.
  entry read(table t, std::string_view key, std::string_view stored) const;

 private:
  enum class surroundings : std::uint8_t {
    sound,      ///< A search for the key certainly ended at the right place.
    damaged,    ///< A neighbour's value is damaged.
    misplaced,  ///< A neighbour's key is damaged, or out of order.
  };
  surroundings surroundings_of(table t, std::string_view key) const;
  /// Finds a key as the database does. Throws damaged_value.
  std::optional<std::string> find(table t, std::string_view key) const;
  /// Finds a key among the entries around its place. Throws damaged_value for a value under a
  /// damaged key.
  std::optional<std::string> search(table t, std::string_view key) const;

  using raw_scan = void (table_reader::*)(table, std::string_view,
                                          const table_reader::visitor&) const;
  /// `back` is the scan against the direction of `ahead`.
  template <class Belongs>
  void scan(table t, std::string_view bound, const table_reader::visitor& visit, raw_scan ahead,
            raw_scan back, Belongs belongs) const;

  const table_reader& tables_;
  const seals& sealed_;
};

}  // namespace skanu
