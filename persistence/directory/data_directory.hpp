// A node's data directory: the databases, and the lock against a second server.
//
//   lmdb/              the tables of every service but delivery
//   delivery.sqlite3   the tables of delivery
//   lock               locked by the server of the directory, like the folder and the databases
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "persistence/directory/directory_identity.hpp"
#include "persistence/directory/directory_lock.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// A database of a directory.
struct database {
  std::string name;  ///< "lmdb" or "sqlite"; in a cluster's folder with the node's folder in front.
  std::unique_ptr<store> data;
  /// The folder of the files, below the folder opened: "lmdb", "order/lmdb", "delivery"; empty: the
  /// folder opened.
  std::string folder = {};
};

/// Options for opening a directory.
struct directory_options {
  std::vector<service> services;
  std::int64_t max_bytes = 0;  ///< For each database; 0 leaves the limit to the disk.
  bool restored = false;       ///< The operator knows of lost databases.
};

/// A data directory owned by the process. Throws store_error with a clear sentence if another
/// server holds the directory, the directory cannot be opened or created, its databases do not
/// belong together, or a database is lost.
class data_directory {
 public:
  data_directory(const std::string& folder, const directory_options& options);
  data_directory(const data_directory&) = delete;
  data_directory& operator=(const data_directory&) = delete;

  std::vector<database>& databases() { return databases_; }
  /// The identity, created with the directory or read from the databases.
  directory_identity& identity() { return identity_; }
  store& of(service s);

  /// False if the folder or a database in the folder has been removed or replaced: later writes end
  /// with the process. Costs some system calls. Any thread.
  bool is_there() const;

  /// Closes the databases, and removes the new ones: a later start would take the files of a
  /// refused start for data. The directory is of no use afterwards.
  void remove_new_databases();

 private:
  std::string folder_;
  directory_lock lock_;                     ///< Outlives the databases.
  std::vector<std::filesystem::path> new_;  ///< Files that were not there before the opening.
  std::vector<std::pair<std::string, file_id>> files_;  ///< At the time of the opening.
  std::vector<database> databases_;
  directory_identity identity_;
};

/// Returns the services with a database in a data directory. Creates no file. Throws store_error.
std::vector<service> services_in(const std::string& folder);

/// Opens the existing databases of a data directory, or of every data directory in a folder, beside
/// a possibly running server. The order is the order of a cut's holds on the writers. Creates no
/// file. Throws store_error without a database.
std::vector<database> open_existing(const std::string& folder);

}  // namespace skanu
