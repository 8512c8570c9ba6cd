// The identity of a data directory: meta rows of every service, to tell the databases of two
// directories apart, and a copy from the original.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

struct database;

/// A random id, created with the directory; the same in all databases of the directory.
inline constexpr std::string_view directory_id_key = "directory.id";
/// Time of the first start with these tables of a service, RFC 3339; missing in directories of
/// earlier versions.
inline constexpr std::string_view directory_made_key = "directory.made";
/// The services of the directory so far, separated by commas: a missing service is lost.
inline constexpr std::string_view directory_services_key = "directory.services";
/// The identity of the directory's cluster.
inline constexpr std::string_view cluster_id_key = "cluster.id";
/// Time of the copy, RFC 3339; only in a copy not yet used by a server.
inline constexpr std::string_view backup_key = "backup.taken";

struct directory_identity {
  std::string id;
  std::string cluster = {};                      ///< Empty without a cluster.
  std::vector<service> services = {};            ///< Services of the directory so far.
  std::optional<std::string> backup_taken = {};  ///< Time of the copy, in an unused copy.
  std::vector<service> lost = {};                ///< Known services with new, empty tables.
};

/// Returns the names of services as the row spells them.
std::string by_commas(const std::vector<service>& services);

/// Reads the identity of a directory from the open databases. A directory without an identity gets
/// a new one. Throws store_error if the databases belong to different directories or clusters.
directory_identity read_identity(std::vector<database>& databases);

/// Writes the identity to every database, a commit each, begins a new timeline of each log, and
/// removes the marks of a copy. Throws store_error.
void begin_run(std::vector<database>& databases, const directory_identity& identity);

/// Marks every database as a copy of the time. Throws store_error.
void mark_as_backup(std::vector<database>& databases, const std::string& taken_at);

}  // namespace skanu
