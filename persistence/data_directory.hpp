// A node's data directory: its databases, and the lock that keeps a second server out.
//
//   lmdb/              the tables of every service but delivery
//   delivery.sqlite3   delivery's
//   lock               held, as the folder itself is, by the server that uses the directory
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "persistence/directory_identity.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// A file's device and number.
using file_id = std::pair<std::uint64_t, std::uint64_t>;

/// One database of a directory.
struct database {
  std::string name;  ///< "lmdb", "sqlite"; in a cluster's folder with the node's folder in front.
  std::unique_ptr<store> data;
  /// The folder of its files below the one that was opened: "lmdb", "order/lmdb", "delivery";
  /// empty: they stand in that folder itself.
  std::string folder = {};
};

/// How a directory is opened.
struct directory_options {
  std::vector<service> services;
  std::int64_t max_bytes = 0;  ///< Of each database; 0: only the disk bounds it.
  bool restored = false;       ///< The operator knows that databases of it were lost.
};

/// A directory that this process owns. Throws store_error with one clear sentence where another
/// server holds it, where it cannot be opened or made, where it has held other services and none of
/// these, or where its databases do not belong together or one of them is lost.
class data_directory {
 public:
  data_directory(const std::string& folder, const directory_options& options);
  ~data_directory();
  data_directory(const data_directory&) = delete;
  data_directory& operator=(const data_directory&) = delete;

  std::vector<database>& databases() { return databases_; }
  /// Who it is: made with the directory, or read from it.
  directory_identity& identity() { return identity_; }
  store& of(service s);

  /// False where the folder, or a database in it, was removed or replaced: what is written now is
  /// lost with this process. Costs some calls of the system. Any thread.
  bool is_there() const;

 private:
  void give_back();

  std::string folder_;
  int lock_ = -1;
  int older_lock_ = -1;
  std::vector<std::pair<std::string, file_id>> files_;  ///< As they were opened.
  std::vector<database> databases_;
  directory_identity identity_;
};

/// The databases that are there, opened beside a server that may be running: of one data directory,
/// or of every one in a folder that holds several. In the order in which a cut takes their writer
/// locks. Makes nothing. Throws store_error where there are none.
std::vector<database> open_existing(const std::string& folder);

}  // namespace skanu
