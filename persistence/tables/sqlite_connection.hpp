// A connection to an SQLite file: the prepared statements, the errors, the write-ahead log.
#pragma once

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// The bound of every wait for another connection.
inline constexpr std::chrono::milliseconds sqlite_wait_max{10'000};

/// The statements on a table, prepared once per connection and table.
enum class table_operation : std::uint8_t {
  get,
  scan_up,
  scan_down,
  scan_down_all,
  put,
  append,
  erase,
};
inline constexpr std::size_t table_operation_count = 7;

/// Begins and ends of transactions, prepared once per connection.
enum class transaction_step : std::uint8_t {
  begin_read,
  fix_snapshot,
  begin_write,
  commit,
  roll_back,
};
inline constexpr std::size_t transaction_step_count = 5;

/// For a single thread at a time. Functions throw store_error.
class sqlite_connection {
 public:
  sqlite_connection(std::string file, int more_flags);

  void execute(const std::string& sql);
  /// The first column of the first row; empty where there is none.
  std::string value_of(const std::string& sql);

  void run(transaction_step step);
  /// Rolls back a transaction begun by run(), unless already ended.
  void roll_back() noexcept;
  /// Makes the transaction durable, and keeps the write-ahead log short.
  void commit();

  std::optional<std::string_view> get(table t, std::string_view key);
  void scan(table t, table_operation direction, std::string_view limit,
            const table_reader::visitor& visit);
  void put(table t, std::string_view key, std::string_view value, put_mode mode);
  void erase(table t, std::string_view key);

 private:
  struct close_database {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  struct finalize_statement {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  using database_handle = std::unique_ptr<sqlite3, close_database>;
  using statement_handle = std::unique_ptr<sqlite3_stmt, finalize_statement>;

  struct reset_at_end {
    sqlite3_stmt* statement;
    ~reset_at_end() { sqlite3_reset(statement); }
  };

  [[noreturn]] void fail(const std::string& what) const;
  errc code_of(int result) const;
  bool a_file_is_at_its_longest() const;
  void wait_at_most(std::chrono::milliseconds wait);
  void bound_log();

  statement_handle prepare(const std::string& sql);
  sqlite3_stmt* bound(table t, table_operation what, std::string_view key);
  bool step(sqlite3_stmt* statement);
  static std::string_view column(sqlite3_stmt* statement, int index);

  std::string file_;
  database_handle db_;
  std::array<statement_handle, transaction_step_count> steps_;
  std::array<statement_handle, service_count * table_kind_count * table_operation_count>
      statements_;
  std::string found_;
  int log_pages_ = 0;  ///< After the connection's last commit.
  int next_restart_;
};

}  // namespace skanu
