#include "persistence/tables/sqlite_connection.hpp"

#include <cerrno>
#include <stdexcept>

namespace skanu {

namespace {

/// Pages in the write-ahead log before a copy into the file, and before a wait for readers, to
/// begin the log anew.
constexpr int log_to_copy = 1'000;
constexpr int log_to_restart = 3'000;
constexpr std::chrono::milliseconds restart_wait{50};

std::string sql_of(table t, table_operation what) {
  const auto name = '"' + name_of(t) + '"';
  switch (what) {
    case table_operation::get: return "SELECT value FROM " + name + " WHERE key = ?";
    case table_operation::scan_up:
      return "SELECT key, value FROM " + name + " WHERE key >= ? ORDER BY key";
    case table_operation::scan_down:
      return "SELECT key, value FROM " + name + " WHERE key < ? ORDER BY key DESC";
    case table_operation::scan_down_all:
      return "SELECT key, value FROM " + name + " ORDER BY key DESC";
    case table_operation::put: return "REPLACE INTO " + name + " VALUES (?, ?)";
    case table_operation::append: return "INSERT INTO " + name + " VALUES (?, ?)";
    case table_operation::erase: return "DELETE FROM " + name + " WHERE key = ?";
  }
  return {};
}

constexpr std::array<const char*, transaction_step_count> step_sql = {
    "BEGIN", "SELECT 1 FROM sqlite_schema LIMIT 1", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"};

}  // namespace

sqlite_connection::sqlite_connection(std::string file, int more_flags)
    : file_(std::move(file)), next_restart_(log_to_restart) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(
      file_.c_str(), &opened,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | more_flags, nullptr);
  db_.reset(opened);
  if (result != SQLITE_OK) fail("cannot be opened");
  wait_at_most(sqlite_wait_max);
  execute("PRAGMA cell_size_check = ON");
  sqlite3_wal_hook(
      db_.get(),
      [](void* pages, sqlite3*, const char*, int now) {
        *static_cast<int*>(pages) = now;
        return SQLITE_OK;
      },
      &log_pages_);
}

void sqlite_connection::execute(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail("cannot be used");
}

std::string sqlite_connection::value_of(const std::string& sql) {
  const auto statement = prepare(sql);
  if (!step(statement.get())) return {};
  return std::string(column(statement.get(), 0));
}

void sqlite_connection::run(transaction_step what) {
  auto& statement = steps_[static_cast<std::size_t>(what)];
  if (!statement) statement = prepare(step_sql[static_cast<std::size_t>(what)]);
  const reset_at_end reset{statement.get()};
  step(statement.get());
}

void sqlite_connection::roll_back() noexcept {
  if (sqlite3_get_autocommit(db_.get()) != 0) return;  // SQLite rolled back already
  try {
    run(transaction_step::roll_back);
  } catch (const store_error&) {
    // Cannot happen to an open transaction; otherwise the next BEGIN fails.
  }
}

std::optional<std::string_view> sqlite_connection::get(table t, std::string_view key) {
  auto* statement = bound(t, table_operation::get, key);
  const reset_at_end reset{statement};
  if (!step(statement)) return std::nullopt;
  found_ = column(statement, 0);
  return found_;
}

void sqlite_connection::scan(table t, table_operation direction, std::string_view limit,
                             const table_reader::visitor& visit) {
  auto* statement = bound(t, direction, limit);
  const reset_at_end reset{statement};
  while (step(statement))
    if (!visit(column(statement, 0), column(statement, 1))) return;
}

void sqlite_connection::put(table t, std::string_view key, std::string_view value, put_mode mode) {
  auto* statement =
      bound(t, mode == put_mode::append ? table_operation::append : table_operation::put, key);
  const reset_at_end reset{statement};
  sqlite3_bind_text64(statement, 2, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  step(statement);
}

void sqlite_connection::erase(table t, std::string_view key) {
  auto* statement = bound(t, table_operation::erase, key);
  const reset_at_end reset{statement};
  step(statement);
}

void sqlite_connection::commit() {
  run(transaction_step::commit);
  bound_log();
}

void sqlite_connection::fail(const std::string& what) const {
  const int result = sqlite3_extended_errcode(db_.get());
  throw store_error(code_of(result),
                    "the database " + file_ + " " + what + ": " + sqlite3_errmsg(db_.get()));
}

void sqlite_connection::wait_at_most(std::chrono::milliseconds wait) {
  sqlite3_busy_timeout(db_.get(), static_cast<int>(wait.count()));
}

/// Copies the write-ahead log into the file. The log begins anew only at a moment without readers;
/// if no such moment comes, readers are made to wait. The data is durable before: a failure here is
/// no error, and the next commit tries again.
void sqlite_connection::bound_log() {
  if (log_pages_ < log_to_copy) return;
  auto* db = db_.get();
  if (log_pages_ < next_restart_) {
    sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    return;
  }
  wait_at_most(restart_wait);
  const bool restarted = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, nullptr,
                                                   nullptr) == SQLITE_OK;
  wait_at_most(sqlite_wait_max);
  // Commits after a failed restart do not each wait for a long reader, such as a backup.
  next_restart_ = restarted ? log_to_restart : log_pages_ + log_to_copy;
}

errc sqlite_connection::code_of(int result) const {
  // A failed flush leaves a whole commit in the log, readable after a crash unless another commit
  // was written over the place.
  if (result == SQLITE_IOERR_FSYNC) return errc::outcome_unknown;
  const int system_error = sqlite3_system_errno(db_.get());
  const bool no_room =
      (result & 0xff) == SQLITE_FULL ||
      ((result & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT)) ||
      (result == SQLITE_IOERR_WRITE && a_file_is_at_its_longest());
  return no_room ? errc::store_full : errc::store_failed;
}

/// Asks the files: after a failed commit, sqlite3_system_errno is of a later call.
bool sqlite_connection::a_file_is_at_its_longest() const {
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    int why = 0;
    sqlite3_file_control(db_.get(), "main", which, &file);
    if (file == nullptr || file->pMethods == nullptr) continue;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &why);
    if (why == EFBIG) return true;
  }
  return false;
}

sqlite_connection::statement_handle sqlite_connection::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK)
    fail("cannot be used");
  return statement_handle(statement);
}

sqlite3_stmt* sqlite_connection::bound(table t, table_operation what, std::string_view key) {
  auto& statement = statements_[t.index() * table_operation_count + static_cast<std::size_t>(what)];
  if (!statement) statement = prepare(sql_of(t, what));
  if (sqlite3_stmt_busy(statement.get()) != 0)
    throw std::logic_error("a scan inside a scan of the same table");
  if (what != table_operation::scan_down_all)
    sqlite3_bind_blob64(statement.get(), 1, key.empty() ? "" : key.data(), key.size(),
                        SQLITE_STATIC);
  return statement.get();
}

/// True where there is a row.
bool sqlite_connection::step(sqlite3_stmt* statement) {
  switch (sqlite3_step(statement)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: fail(sqlite3_stmt_readonly(statement) != 0 ? "cannot be read" : "cannot be written");
  }
}

std::string_view sqlite_connection::column(sqlite3_stmt* statement, int index) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
  return bytes ? std::string_view(bytes, size) : std::string_view();
}

}  // namespace skanu
