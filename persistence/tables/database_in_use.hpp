// Each thread names the database in use, for the report of a crash.
#pragma once

#include <string>

namespace skanu {

/// Path of a database that the calling thread has a transaction in; null without a transaction. A
/// signal handler may read the pointer: the text lives as long as the process.
inline thread_local constinit const char* database_of_this_thread = nullptr;

/// Returns a copy of the path that lives as long as the process. Equal paths share a copy.
const char* lasting_path(const std::string& path);

/// Names the database for the thread until destruction on the same thread.
class database_in_use {
 public:
  /// `path` is a result of lasting_path().
  explicit database_in_use(const char* path) {
    database_of_this_thread = path;
    ++open_;
  }
  ~database_in_use() {
    if (--open_ == 0) database_of_this_thread = nullptr;
  }
  database_in_use(const database_in_use&) = delete;
  database_in_use& operator=(const database_in_use&) = delete;

 private:
  inline static thread_local constinit int open_ = 0;  ///< Transactions of the thread.
};

}  // namespace skanu
