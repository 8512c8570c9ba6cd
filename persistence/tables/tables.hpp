// Ordered tables of bytes under transactions: what a database must offer to become a store. The
// commit algorithm stands above it, once (table_store.hpp).
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

/// The tables that each service has.
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

/// One table: a service's own one of a kind.
struct table {
  service of;
  table_kind kind;

  constexpr std::size_t index() const {
    return static_cast<std::size_t>(of) * table_kind_count + static_cast<std::size_t>(kind);
  }
};

/// "order.entities", "payment.log" …: the table's name in its database.
std::string name_of(table t);

/// Reading in one transaction. What get() returns is valid until the next get() or write, what a
/// visitor is given until it returns. A visitor may call get(); it neither writes nor
/// scans. Functions throw store_error.
class table_reader {
 public:
  virtual ~table_reader() = default;

  virtual std::optional<std::string_view> get(table t, std::string_view key) const = 0;

  /// Returns false to stop.
  using visitor = std::function<bool(std::string_view key, std::string_view value)>;

  /// Visits keys upwards from the first that is not below `from`.
  virtual void scan_up(table t, std::string_view from, const visitor& visit) const = 0;

  /// Visits keys downwards from the last that is below `below`; empty: from the last of all.
  virtual void scan_down(table t, std::string_view below, const visitor& visit) const = 0;
};

enum class put_mode : std::uint8_t {
  any,     ///< New or replaced.
  append,  ///< The key is above every other one of its table.
};

/// Writing in one transaction; destroyed without commit(), nothing happened.
class table_writer : public table_reader {
 public:
  virtual void put(table t, std::string_view key, std::string_view value, put_mode mode) = 0;
  /// Erasing what is not there is no error.
  virtual void erase(table t, std::string_view key) = 0;
  /// Makes it durable. Throws store_error: then nothing of it is there; only with outcome_unknown
  /// it may come back after a crash.
  virtual void commit() = 0;
};

/// A database of ordered tables.
class ordered_tables {
 public:
  virtual ~ordered_tables() = default;
  /// Waits for writers of other processes. One writing thread in this one.
  virtual std::unique_ptr<table_writer> begin_write() = 0;
  virtual std::unique_ptr<table_reader> begin_read() const = 0;
  /// New tables of the same kind in a folder, which is made where it is not there. Throws
  /// store_error where there are tables already.
  virtual std::unique_ptr<ordered_tables> make_empty(
      const std::string& folder, const std::vector<service>& services) const = 0;
  /// False while they can neither be read nor written; asking may open them again. Any thread.
  virtual bool is_open() const { return true; }
  /// Any thread.
  virtual reader_figures readers() const { return {}; }
};

}  // namespace skanu
