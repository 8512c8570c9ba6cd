// Ordered tables of bytes under transactions: a database's part of a store. The commit algorithm
// stands above, in table_store.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/values.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The kinds of tables of each service.
enum class table_kind : std::uint8_t {
  entities,
  tombstones,
  status_index,
  log,
  rows,
  meta,
  dead_letters,
  operations,
  operation_expiry,
};

inline constexpr std::size_t table_kind_count = 9;

/// A service's table of a kind.
struct table {
  service of;
  table_kind kind;

  constexpr std::size_t index() const {
    return static_cast<std::size_t>(of) * table_kind_count + static_cast<std::size_t>(kind);
  }
};

/// Returns the table's name in the database: "order.entities", "payment.log" …
std::string name_of(table t);

/// Reads of a transaction. A result of get() is valid until the next get() or write, a visitor's
/// arguments until the visitor returns. A visitor may call get(), but must neither write nor scan.
/// Functions throw store_error.
class table_reader {
 public:
  virtual ~table_reader() = default;

  virtual std::optional<std::string_view> get(table t, std::string_view key) const = 0;

  /// Returns false to stop.
  using visitor = std::function<bool(std::string_view key, std::string_view value)>;

  /// Visits keys upwards from the first key not below `from`.
  virtual void scan_up(table t, std::string_view from, const visitor& visit) const = 0;

  /// Visits keys downwards from the last key below `below`; empty: from the last key.
  virtual void scan_down(table t, std::string_view below, const visitor& visit) const = 0;

  /// Checks a writer's reads besides the tables, such as the list of free pages. Throws store_error
  /// with errc::damaged.
  virtual void check_free_pages() const {}
};

enum class put_mode : std::uint8_t {
  any,     ///< New or replaced.
  append,  ///< The key is above every other key of the table.
};

/// Writes of a transaction. Destruction without commit() undoes all writes.
class table_writer : public table_reader {
 public:
  virtual void put(table t, std::string_view key, std::string_view value, put_mode mode) = 0;
  /// Erases a key; a missing key is no error.
  virtual void erase(table t, std::string_view key) = 0;
  /// Makes the transaction durable. Throws store_error: the transaction is then undone, except that
  /// with outcome_unknown the transaction may reappear after a crash.
  virtual void commit() = 0;
};

/// A database of ordered tables.
class ordered_tables {
 public:
  virtual ~ordered_tables() = default;
  /// Waits for the writers of other processes. Within the process a single thread writes.
  virtual std::unique_ptr<table_writer> begin_write() = 0;
  virtual std::unique_ptr<table_reader> begin_read() const = 0;
  /// Creates tables of the same kind in a folder, creating a missing folder. Throws store_error if
  /// the folder already has tables.
  virtual std::unique_ptr<ordered_tables> make_empty(
      const std::string& folder, const std::vector<service>& services) const = 0;
  /// False while the tables can neither be read nor written. The call may reopen the tables. Any
  /// thread.
  virtual bool is_open() const { return true; }
  /// Any thread.
  virtual reader_figures readers() const { return {}; }
};

}  // namespace skanu
