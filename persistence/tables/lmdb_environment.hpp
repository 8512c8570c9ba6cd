// One open LMDB environment: its files, its tables, its idle read transactions.
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

/// Throws store_error where `status` is an error; `what` follows "LMDB cannot".
void check_lmdb(const char* what, int status);
[[noreturn]] void fail_lmdb(const std::string& what, int status);

inline MDB_val lmdb_value(std::string_view text) {
  return {text.size(),
          const_cast<char*>(text.data())};  // LMDB's keys and values are not written to
}

inline std::string_view text_of(const MDB_val& v) {
  return {static_cast<const char*>(v.mv_data), v.mv_size};
}

/// How an environment is opened.
struct lmdb_options {
  std::string folder;
  std::vector<service> services;
  std::int64_t max_bytes = 0;
  page_use pages = page_use::scattered;
};

/// Says when an environment is closed: before that, its folder must not be opened again.
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

/// Shared by whoever reads or writes in it; the last of them closes it. Thread-safe but for the one
/// writer.
class lmdb_environment {
 public:
  /// Opens or makes it. Throws store_error.
  explicit lmdb_environment(const lmdb_options& options);
  ~lmdb_environment();
  lmdb_environment(const lmdb_environment&) = delete;
  lmdb_environment& operator=(const lmdb_environment&) = delete;

  MDB_env* env() const { return env_; }
  MDB_dbi handle_of(table t) const;
  std::shared_ptr<closed_latch> closed() const { return closed_; }

  /// A read transaction that is reset, from the idle ones where there is one.
  MDB_txn* take_reader();
  void give_back(MDB_txn* reader);

  /// LMDB does not write pages that were added and given up within one transaction, so its file may
  /// end before its last page although nothing is lost; reading beyond it would end the process.
  /// Kept longer than that, a file that is too short is one that was truncated. To be called before
  /// every commit, and after it: one may add more than the tail. Returns an LMDB status.
  int lengthen_file() const;

  /// True where its disk, or its file, has less room than a large batch may take.
  bool disk_is_full() const;

  /// The last transaction that was committed.
  std::size_t last_transaction() const;

  /// Commits something that changes nothing: so what was last committed is on the disk for certain.
  /// Throws store_error.
  void settle();

 private:
  void open(const lmdb_options& options);
  void open_tables(const lmdb_options& options);

  MDB_env* env_ = nullptr;
  std::array<std::optional<MDB_dbi>, service_count * table_kind_count> tables_{};
  std::shared_ptr<closed_latch> closed_ = std::make_shared<closed_latch>();
  std::mutex mutex_;
  std::vector<MDB_txn*> all_readers_;
  std::vector<MDB_txn*> idle_readers_;
};

}  // namespace skanu
