// A node's data directory: its databases, and the lock that keeps a second server out.
//
//   lmdb/              the tables of every service but delivery
//   delivery.sqlite3   delivery's
//   lock               held by the server that uses the directory
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "persistence/directory_identity.hpp"
#include "persistence/store.hpp"

namespace skanu {

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
/// server holds it, where it cannot be opened or made, or where its databases do not belong
/// together or one of them is lost.
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

 private:
  int lock_ = -1;
  std::vector<database> databases_;
  directory_identity identity_;
};

/// The databases that are there, opened beside a server that may be running: of one data directory,
/// or of every one in a folder that holds several. In the order in which a cut takes their writer
/// locks. Makes nothing. Throws store_error where there are none.
std::vector<database> open_existing(const std::string& folder);

}  // namespace skanu
