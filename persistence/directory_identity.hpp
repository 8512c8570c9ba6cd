// The identity of a data directory: rows that tell its databases from another's, and a copy from
// the original. Every service's meta rows hold them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

struct database;

/// A random identity, made with the directory; the same in all of its databases.
inline constexpr std::string_view directory_id_key = "directory.id";
/// The services that the directory has held, by commas: one that is missing was lost.
inline constexpr std::string_view directory_services_key = "directory.services";
/// The identity of the cluster that it belongs to.
inline constexpr std::string_view cluster_id_key = "cluster.id";
/// Only in a copy that no server has begun to use yet: when it was taken, RFC 3339.
inline constexpr std::string_view backup_key = "backup.taken";

struct directory_identity {
  std::string id;
  std::string cluster = {};                      ///< Empty: none yet.
  std::vector<service> services = {};            ///< That the directory has held.
  std::optional<std::string> backup_taken = {};  ///< Where it is an unused copy.
  std::vector<service> lost = {};                ///< It has held them, and their tables are new.
};

/// The names of services, as that row spells them.
std::string by_commas(const std::vector<service>& services);

/// Reads the identity of a directory, whose `databases` are open. A directory without one gets a
/// new one. Throws store_error where databases of two directories, or of two clusters, stand in it.
directory_identity read_identity(std::vector<database>& databases);

/// Makes it the directory's in every database, each in one commit; there a new timeline of each log
/// begins, and no copy is a copy any more. Throws store_error.
void begin_run(std::vector<database>& databases, const directory_identity& identity);

/// Marks every database as a copy taken at that time. Throws store_error.
void mark_as_backup(std::vector<database>& databases, const std::string& taken_at);

}  // namespace skanu
