#include "persistence/tables/sqlite_tables.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "persistence/files/new_files.hpp"
#include "persistence/tables/write_turn.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

constexpr int our_application_id = 0x534b4e55;  // "SKNU"
constexpr int our_user_version = 1;
constexpr std::int64_t page_size = 4096;
constexpr std::chrono::milliseconds longest_wait{10'000};
constexpr std::size_t most_readers = 16;

/// Pages in the write-ahead log from which on it is copied into the file, and from which on readers
/// are waited for, so that it can begin anew.
constexpr int log_to_copy = 1'000;
constexpr int log_to_restart = 3'000;
constexpr std::chrono::milliseconds restart_wait{50};

/// What is done to one table, prepared once per connection and table.
enum class operation : std::uint8_t { get, scan_up, scan_down, scan_down_all, put, append, erase };
constexpr std::size_t operation_count = 7;

std::string sql_of(table t, operation what) {
  const auto name = '"' + name_of(t) + '"';
  switch (what) {
    case operation::get: return "SELECT value FROM " + name + " WHERE key = ?";
    case operation::scan_up:
      return "SELECT key, value FROM " + name + " WHERE key >= ? ORDER BY key";
    case operation::scan_down:
      return "SELECT key, value FROM " + name + " WHERE key < ? ORDER BY key DESC";
    case operation::scan_down_all: return "SELECT key, value FROM " + name + " ORDER BY key DESC";
    case operation::put: return "REPLACE INTO " + name + " VALUES (?, ?)";
    case operation::append: return "INSERT INTO " + name + " VALUES (?, ?)";
    case operation::erase: return "DELETE FROM " + name + " WHERE key = ?";
  }
  return {};
}

/// Begins and ends of transactions, prepared once per connection.
enum class control : std::uint8_t { begin_read, fix_snapshot, begin_write, commit, rollback };
constexpr std::array<const char*, 5> control_sql = {"BEGIN", "SELECT 1 FROM sqlite_schema LIMIT 1",
                                                    "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"};

struct close_database {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
struct finalize_statement {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using database_handle = std::unique_ptr<sqlite3, close_database>;
using statement_handle = std::unique_ptr<sqlite3_stmt, finalize_statement>;

/// One connection to the file; for one thread at a time.
class connection {
 public:
  connection(std::string file, int more_flags) : file_(std::move(file)) {
    sqlite3* opened = nullptr;
    const int result = sqlite3_open_v2(
        file_.c_str(), &opened,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | more_flags, nullptr);
    db_.reset(opened);
    if (result != SQLITE_OK) fail("cannot be opened");
    wait_at_most(longest_wait);
    execute("PRAGMA cell_size_check = ON");
    sqlite3_wal_hook(
        db_.get(),
        [](void* pages, sqlite3*, const char*, int now) {
          *static_cast<int*>(pages) = now;
          return SQLITE_OK;
        },
        &log_pages_);
  }

  void execute(const std::string& sql) {
    if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      fail("cannot be used");
  }

  /// The first column of the first row; empty where there is none.
  std::string value_of(const std::string& sql) {
    const auto statement = prepare(sql);
    if (!step(statement.get())) return {};
    return std::string(column(statement.get(), 0));
  }

  void run(control what) {
    auto& statement = controls_[static_cast<std::size_t>(what)];
    if (!statement) statement = prepare(control_sql[static_cast<std::size_t>(what)]);
    const reset_at_end reset{statement.get()};
    step(statement.get());
  }

  /// Ends what run() began, if it still goes on.
  void roll_back() noexcept {
    if (sqlite3_get_autocommit(db_.get()) != 0) return;  // SQLite rolled back by itself
    try {
      run(control::rollback);
    } catch (const store_error&) {
      // Cannot happen to an open transaction; were it so, the next BEGIN would say it.
    }
  }

  std::optional<std::string_view> get(table t, std::string_view key) {
    auto* statement = bound(t, operation::get, key);
    const reset_at_end reset{statement};
    if (!step(statement)) return std::nullopt;
    found_ = column(statement, 0);
    return found_;
  }

  void scan(table t, operation direction, std::string_view limit,
            const table_reader::visitor& visit) {
    auto* statement = bound(t, direction, limit);
    const reset_at_end reset{statement};
    while (step(statement))
      if (!visit(column(statement, 0), column(statement, 1))) return;
  }

  void put(table t, std::string_view key, std::string_view value, put_mode mode) {
    auto* statement = bound(t, mode == put_mode::append ? operation::append : operation::put, key);
    const reset_at_end reset{statement};
    sqlite3_bind_text64(statement, 2, value.empty() ? "" : value.data(), value.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
    step(statement);
  }

  void erase(table t, std::string_view key) {
    auto* statement = bound(t, operation::erase, key);
    const reset_at_end reset{statement};
    step(statement);
  }

  void commit() {
    run(control::commit);
    bound_log();
  }

  [[noreturn]] void fail(const std::string& what) const {
    const int result = sqlite3_extended_errcode(db_.get());
    throw store_error(code_of(result),
                      "the database " + file_ + " " + what + ": " + sqlite3_errmsg(db_.get()));
  }

 private:
  struct reset_at_end {
    sqlite3_stmt* statement;
    ~reset_at_end() { sqlite3_reset(statement); }
  };

  void wait_at_most(std::chrono::milliseconds wait) {
    sqlite3_busy_timeout(db_.get(), static_cast<int>(wait.count()));
  }

  /// Copies the write-ahead log into the file. It begins anew only at a moment without readers in
  /// it; where there never is one, it makes one. What fails here was durable before, and is tried
  /// again after the next commit.
  void bound_log() {
    if (log_pages_ < log_to_copy) return;
    auto* db = db_.get();
    if (log_pages_ < next_restart_) {
      sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
      return;
    }
    wait_at_most(restart_wait);
    const bool restarted = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, nullptr,
                                                     nullptr) == SQLITE_OK;
    wait_at_most(longest_wait);
    // A reader that stays for long, such as a backup, is not waited for after every commit.
    next_restart_ = restarted ? log_to_restart : log_pages_ + log_to_copy;
  }

  errc code_of(int result) const {
    // A flush that failed leaves a whole commit in the log: it is there after a crash, unless
    // another commit was written over it before.
    if (result == SQLITE_IOERR_FSYNC) return errc::outcome_unknown;
    const int system_error = sqlite3_system_errno(db_.get());
    const bool no_room =
        (result & 0xff) == SQLITE_FULL ||
        ((result & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT)) ||
        (result == SQLITE_IOERR_WRITE && a_file_is_at_its_longest());
    return no_room ? errc::store_full : errc::store_failed;
  }

  /// Asks the files: after a commit that failed, sqlite3_system_errno is of a later call.
  bool a_file_is_at_its_longest() const {
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

  statement_handle prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(db_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK)
      fail("cannot be used");
    return statement_handle(statement);
  }

  sqlite3_stmt* bound(table t, operation what, std::string_view key) {
    auto& statement = statements_[t.index() * operation_count + static_cast<std::size_t>(what)];
    if (!statement) statement = prepare(sql_of(t, what));
    if (sqlite3_stmt_busy(statement.get()) != 0)
      throw std::logic_error("a scan inside a scan of the same table");
    if (what != operation::scan_down_all)
      sqlite3_bind_blob64(statement.get(), 1, key.empty() ? "" : key.data(), key.size(),
                          SQLITE_STATIC);
    return statement.get();
  }

  /// True where there is a row.
  bool step(sqlite3_stmt* statement) {
    switch (sqlite3_step(statement)) {
      case SQLITE_ROW: return true;
      case SQLITE_DONE: return false;
      default: fail(sqlite3_stmt_readonly(statement) != 0 ? "cannot be read" : "cannot be written");
    }
  }

  static std::string_view column(sqlite3_stmt* statement, int index) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
    return bytes ? std::string_view(bytes, size) : std::string_view();
  }

  std::string file_;
  database_handle db_;
  std::array<statement_handle, control_sql.size()> controls_;
  std::array<statement_handle, service_count * table_kind_count * operation_count> statements_;
  std::string found_;
  int log_pages_ = 0;  ///< After this connection's last commit.
  int next_restart_ = log_to_restart;
};

/// Connections for readers: opened when first needed, kept, never more than most_readers.
class reader_pool {
 public:
  explicit reader_pool(std::string file) : file_(std::move(file)) { idle_.reserve(most_readers); }

  std::unique_ptr<connection> take() {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, longest_wait,
                            [this] { return !idle_.empty() || opened_ < most_readers; }))
      throw store_error(errc::overloaded,
                        "the database " + file_ + " is being read by too many at once");
    if (!idle_.empty()) {
      auto taken = std::move(idle_.back());
      idle_.pop_back();
      return taken;
    }
    ++opened_;
    lock.unlock();
    try {
      auto opened = std::make_unique<connection>(file_, 0);
      opened->execute("PRAGMA query_only = ON");
      return opened;
    } catch (...) {
      lock.lock();
      --opened_;
      returned_.notify_one();
      throw;
    }
  }

  void give_back(std::unique_ptr<connection> unused) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(unused));
    returned_.notify_one();
  }

 private:
  std::string file_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<connection>> idle_;
  std::size_t opened_ = 0;
};

/// A connection of the pool in a read transaction.
class pooled_reader final : public table_reader {
 public:
  explicit pooled_reader(reader_pool& pool) : pool_(pool), connection_(pool.take()) {
    try {
      connection_->run(control::begin_read);
      // BEGIN alone takes no snapshot; the first read does.
      connection_->run(control::fix_snapshot);
    } catch (...) {
      give_back();
      throw;
    }
  }
  ~pooled_reader() override { give_back(); }
  pooled_reader(const pooled_reader&) = delete;
  pooled_reader& operator=(const pooled_reader&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return connection_->get(t, key);
  }
  void scan_up(table t, std::string_view from, const visitor& visit) const override {
    connection_->scan(t, operation::scan_up, from, visit);
  }
  void scan_down(table t, std::string_view below, const visitor& visit) const override {
    connection_->scan(t, below.empty() ? operation::scan_down_all : operation::scan_down, below,
                      visit);
  }

 private:
  void give_back() {
    connection_->roll_back();
    pool_.give_back(std::move(connection_));
  }

  reader_pool& pool_;
  std::unique_ptr<connection> connection_;
};

/// The writing connection in a write transaction.
class sqlite_writer final : public table_writer {
 public:
  sqlite_writer(connection& c, write_turn::held turn) : turn_(std::move(turn)), connection_(c) {
    connection_.run(control::begin_write);
  }
  ~sqlite_writer() override { connection_.roll_back(); }
  sqlite_writer(const sqlite_writer&) = delete;
  sqlite_writer& operator=(const sqlite_writer&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return connection_.get(t, key);
  }
  void scan_up(table t, std::string_view from, const visitor& visit) const override {
    connection_.scan(t, operation::scan_up, from, visit);
  }
  void scan_down(table t, std::string_view below, const visitor& visit) const override {
    connection_.scan(t, below.empty() ? operation::scan_down_all : operation::scan_down, below,
                     visit);
  }
  void put(table t, std::string_view key, std::string_view value, put_mode mode) override {
    connection_.put(t, key, value, mode);
  }
  void erase(table t, std::string_view key) override { connection_.erase(t, key); }
  void commit() override { connection_.commit(); }

 private:
  write_turn::held turn_;
  connection& connection_;
};

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// Gives a finished file its name, durably.
void move_into_place(const fs::path& finished, const fs::path& file) {
  flush(finished);
  std::error_code failure;
  fs::rename(finished, file, failure);
  if (failure)
    throw store_error(errc::store_failed,
                      "the database " + file.string() + " cannot be created: " + failure.message());
  flush(folder_of(file));
}

/// Removes what an interrupted attempt left.
void remove_database(const fs::path& file) {
  for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;  // what cannot be removed makes the next step fail
    fs::remove(file.string() + suffix, ignored);
  }
}

/// Makes an empty database beside its place and moves it there whole, so that an empty or half a
/// file under its own name is always damage.
void create_database(const fs::path& file) {
  const fs::path unfinished = file.string() + ".new";
  remove_database(unfinished);
  // SQLite gives the files that it makes beside a file that file's mode.
  if (const int fd = open_private(unfinished, O_EXCL); fd >= 0) ::close(fd);
  {
    connection c(unfinished.string(), SQLITE_OPEN_CREATE);
    c.execute("PRAGMA page_size = " + std::to_string(page_size));
    c.execute("PRAGMA journal_mode = WAL");
    c.execute("PRAGMA application_id = " + std::to_string(our_application_id));
    c.execute("PRAGMA user_version = " + std::to_string(our_user_version));
  }
  move_into_place(unfinished, file);
}

class sqlite_tables final : public ordered_tables {
 public:
  sqlite_tables(const std::string& file, const std::vector<service>& services,
                std::int64_t max_bytes)
      : file_(file), readers_(file) {
    find_or_create();
    writing_ = std::make_unique<connection>(file, 0);
    recognise();
    if (writing_->value_of("PRAGMA journal_mode = WAL") != "wal")
      refuse("cannot have a write-ahead log here");
    writing_->execute("PRAGMA synchronous = FULL");
    writing_->execute("PRAGMA journal_size_limit = 16777216");
    if (max_bytes > 0)
      writing_->execute("PRAGMA max_page_count = " +
                        std::to_string(std::max<std::int64_t>(max_bytes / page_size, 1)));
    create_tables(services);
  }

  std::unique_ptr<table_writer> begin_write() override {
    auto turn = turn_.take(longest_wait);
    if (!turn) refuse("is being written by another thread");
    return std::make_unique<sqlite_writer>(*writing_, std::move(turn));
  }

  std::unique_ptr<table_reader> begin_read() const override {
    return std::make_unique<pooled_reader>(readers_);
  }

  std::unique_ptr<ordered_tables> make_empty(const std::string& folder,
                                             const std::vector<service>& services) const override {
    const auto file = fs::path(folder) / fs::path(file_).filename();
    make_data_folder(folder);
    std::error_code failure;
    if (fs::exists(file, failure))
      throw store_error(errc::store_failed, "the database " + file.string() + " is there already");
    return open_sqlite_tables(file.string(), services, 0);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw store_error(errc::store_failed, "the database " + file_ + " " + why);
  }

  void find_or_create() const {
    std::error_code failure;
    const auto status = fs::status(file_, failure);
    if (status.type() == fs::file_type::not_found) {
      if (fs::exists(file_ + "-wal", failure)) refuse("is gone, but its write-ahead log is there");
      create_database(file_);
    } else if (status.type() != fs::file_type::regular) {
      refuse(failure ? "cannot be opened: " + failure.message() : "is not a file");
    } else if (fs::file_size(file_, failure) == 0) {
      // SQLite would take it for a new one and throw its write-ahead log away.
      refuse("is empty: it was cut off");
    }
    if (::access(file_.c_str(), R_OK | W_OK) != 0)
      refuse("cannot be opened: " + std::generic_category().message(errno));
  }

  void recognise() {
    if (writing_->value_of("PRAGMA application_id") != std::to_string(our_application_id))
      refuse("is an SQLite database of another program");
    const auto version = writing_->value_of("PRAGMA user_version");
    if (version != std::to_string(our_user_version))
      refuse("is of version " + version + ", and this program knows only version " +
             std::to_string(our_user_version));
  }

  /// Needs the writers' turn only where a table is missing.
  void create_tables(const std::vector<service>& services) {
    std::string missing;
    for (const auto s : services) {
      for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
        const auto name = name_of(table{s, static_cast<table_kind>(kind)});
        if (writing_->value_of("SELECT 1 FROM sqlite_schema WHERE name = '" + name + "'").empty())
          missing += "CREATE TABLE IF NOT EXISTS \"" + name +
                     "\" (key BLOB PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;";
      }
    }
    if (missing.empty()) return;
    writing_->run(control::begin_write);
    try {
      writing_->execute(missing);
      writing_->run(control::commit);
    } catch (...) {
      writing_->roll_back();
      throw;
    }
  }

  std::string file_;
  write_turn turn_;
  std::unique_ptr<connection> writing_;
  mutable reader_pool readers_;
};

}  // namespace

std::unique_ptr<ordered_tables> open_sqlite_tables(const std::string& file,
                                                   const std::vector<service>& services,
                                                   std::int64_t max_bytes) {
  return std::make_unique<sqlite_tables>(file, services, max_bytes);
}

}  // namespace skanu
