#include "persistence/tables/sqlite_tables.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "persistence/files/new_files.hpp"
#include "persistence/tables/database_in_use.hpp"
#include "persistence/tables/sqlite_connection.hpp"
#include "persistence/tables/write_turn.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

constexpr int our_application_id = 0x534b4e55;  // "SKNU"
constexpr int our_user_version = 1;
constexpr std::int64_t page_size = 4096;
constexpr std::size_t most_readers = 16;

/// Connections for readers: opened when first needed, kept, never more than most_readers.
class reader_pool {
 public:
  explicit reader_pool(std::string file) : file_(std::move(file)), path_(lasting_path(file_)) {
    idle_.reserve(most_readers);
  }

  /// The file, as a text that lives as long as the process.
  const char* path() const { return path_; }

  std::unique_ptr<sqlite_connection> take() {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, sqlite_wait_max,
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
      auto opened = std::make_unique<sqlite_connection>(file_, 0);
      opened->execute("PRAGMA query_only = ON");
      return opened;
    } catch (...) {
      lock.lock();
      --opened_;
      returned_.notify_one();
      throw;
    }
  }

  void give_back(std::unique_ptr<sqlite_connection> unused) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(unused));
    returned_.notify_one();
  }

 private:
  std::string file_;
  const char* path_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<sqlite_connection>> idle_;
  std::size_t opened_ = 0;
};

/// A connection of the pool in a read transaction.
class pooled_reader final : public table_reader {
 public:
  explicit pooled_reader(reader_pool& pool)
      : in_use_(pool.path()), pool_(pool), connection_(pool.take()) {
    try {
      connection_->run(transaction_step::begin_read);
      // BEGIN alone takes no snapshot; the first read does.
      connection_->run(transaction_step::fix_snapshot);
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
    connection_->scan(t, table_operation::scan_up, from, visit);
  }
  void scan_down(table t, std::string_view below, const visitor& visit) const override {
    connection_->scan(t,
                      below.empty() ? table_operation::scan_down_all : table_operation::scan_down,
                      below, visit);
  }
  void check_free_pages() const override {
    if (const auto found = connection_->value_of("PRAGMA quick_check(1)"); found != "ok")
      throw store_error(errc::damaged,
                        "the database " + std::string(pool_.path()) + " is damaged: " + found);
  }

 private:
  void give_back() {
    connection_->roll_back();
    pool_.give_back(std::move(connection_));
  }

  database_in_use in_use_;
  reader_pool& pool_;
  std::unique_ptr<sqlite_connection> connection_;
};

/// The writing connection in a write transaction.
class sqlite_writer final : public table_writer {
 public:
  /// `path` is a result of lasting_path().
  sqlite_writer(sqlite_connection& c, const char* path, write_turn::held turn)
      : in_use_(path), turn_(std::move(turn)), connection_(c) {
    connection_.run(transaction_step::begin_write);
  }
  ~sqlite_writer() override { connection_.roll_back(); }
  sqlite_writer(const sqlite_writer&) = delete;
  sqlite_writer& operator=(const sqlite_writer&) = delete;

  std::optional<std::string_view> get(table t, std::string_view key) const override {
    return connection_.get(t, key);
  }
  void scan_up(table t, std::string_view from, const visitor& visit) const override {
    connection_.scan(t, table_operation::scan_up, from, visit);
  }
  void scan_down(table t, std::string_view below, const visitor& visit) const override {
    connection_.scan(t, below.empty() ? table_operation::scan_down_all : table_operation::scan_down,
                     below, visit);
  }
  void put(table t, std::string_view key, std::string_view value, put_mode mode) override {
    connection_.put(t, key, value, mode);
  }
  void erase(table t, std::string_view key) override { connection_.erase(t, key); }
  void commit() override { connection_.commit(); }

 private:
  database_in_use in_use_;
  write_turn::held turn_;
  sqlite_connection& connection_;
};

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// Gives a finished file the final name, durably.
void move_into_place(const fs::path& finished, const fs::path& file) {
  flush(finished);
  std::error_code failure;
  fs::rename(finished, file, failure);
  if (failure)
    throw store_error(errc::store_failed,
                      "the database " + file.string() + " cannot be created: " + failure.message());
  flush(folder_of(file));
}

/// Removes the files of an interrupted attempt.
void remove_database(const fs::path& file) {
  for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;  // a file left over makes the next step fail
    fs::remove(file.string() + suffix, ignored);
  }
}

/// Makes an empty database beside the final place and moves the whole file there, so an empty or
/// partial file under the final name is always damage.
void create_database(const fs::path& file) {
  const fs::path unfinished = file.string() + ".new";
  remove_database(unfinished);
  // SQLite gives the files made beside a file the same mode.
  if (const int fd = open_private(unfinished, O_EXCL); fd >= 0) ::close(fd);
  {
    sqlite_connection c(unfinished.string(), SQLITE_OPEN_CREATE);
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
    writing_ = std::make_unique<sqlite_connection>(file, 0);
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
    auto turn = turn_.take(sqlite_wait_max);
    if (!turn) refuse("is being written by another thread");
    return std::make_unique<sqlite_writer>(*writing_, readers_.path(), std::move(turn));
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
      // SQLite would take the file for new and throw the write-ahead log away.
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
    writing_->run(transaction_step::begin_write);
    try {
      writing_->execute(missing);
      writing_->run(transaction_step::commit);
    } catch (...) {
      writing_->roll_back();
      throw;
    }
  }

  std::string file_;
  write_turn turn_;
  std::unique_ptr<sqlite_connection> writing_;
  mutable reader_pool readers_;
};

}  // namespace

std::unique_ptr<ordered_tables> open_sqlite_tables(const std::string& file,
                                                   const std::vector<service>& services,
                                                   std::int64_t max_bytes) {
  return std::make_unique<sqlite_tables>(file, services, max_bytes);
}

}  // namespace skanu
