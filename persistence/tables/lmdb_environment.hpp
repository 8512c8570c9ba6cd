// An open LMDB environment: the files, the tables, the idle read transactions.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <lmdb.h>

#include "persistence/tables/lmdb_tables.hpp"

namespace skanu {

/// Throws store_error if `status` is an error; `what` follows "LMDB cannot".
void check_lmdb(const char* what, int status);
[[noreturn]] void fail_lmdb(const std::string& what, int status);

inline MDB_val lmdb_value(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // LMDB does not write to keys and values
}

inline std::string_view text_of(const MDB_val& v) {
  return {static_cast<const char*>(v.mv_data), v.mv_size};
}

/// Options for opening an environment.
struct lmdb_options {
  std::string folder;
  std::vector<service> services;
  std::int64_t max_bytes = 0;
  page_use pages = page_use::scattered;
};

/// Another process reads the database under the number of this process.
struct number_is_taken : store_error {
  using store_error::store_error;
};

/// Signals that an environment is closed: its folder must not be opened again earlier.
class closed_latch {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, longest, [this] { return closed_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
};

/// Shared by all readers and the writer; the last owner closes the environment. Thread-safe for a
/// single writer.
class lmdb_environment {
 public:
  /// Opens or creates the environment. Throws store_error.
  explicit lmdb_environment(const lmdb_options& options);
  ~lmdb_environment();
  lmdb_environment(const lmdb_environment&) = delete;
  lmdb_environment& operator=(const lmdb_environment&) = delete;

  MDB_env* env() const { return env_; }
  /// The folder, as a text that lives as long as the process.
  const char* path() const { return path_; }
  MDB_dbi handle_of(table t) const;
  std::shared_ptr<closed_latch> closed() const { return closed_; }

  /// Returns a reset read transaction, an idle one if possible.
  MDB_txn* take_reader();
  void give_back(MDB_txn* reader);

  /// Lengthens the data file beyond the last page and returns an LMDB status. LMDB does not write
  /// pages added and given up within the same transaction, so the file may end before the last page
  /// without a loss, and a read beyond the end would end the process. With the tail, a file too
  /// short always means truncation. Call before and after every commit: a commit may add more than
  /// the tail.
  int lengthen_file() const;

  /// True if the disk or the file has less room than a large batch may need.
  bool disk_is_full() const;

  /// Returns the id of the last committed transaction.
  std::size_t last_transaction() const;

  /// Commits a write without a change, which makes sure that the last committed transaction is on
  /// the disk. Throws store_error.
  void settle();

 private:
  void create(const lmdb_options& options);
  void open(const lmdb_options& options);
  void open_tables(const lmdb_options& options);

  MDB_env* env_ = nullptr;
  pid_t number_ = 0;  ///< The process's number in the lock file.
  const char* path_;
  std::array<std::optional<MDB_dbi>, service_count * table_kind_count> tables_{};
  std::shared_ptr<closed_latch> closed_ = std::make_shared<closed_latch>();
  std::mutex mutex_;
  std::vector<MDB_txn*> all_readers_;
  std::vector<MDB_txn*> idle_readers_;
};

}  // namespace skanu
