#include "persistence/directory/data_directory.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "persistence/directory/database_files.hpp"
#include "persistence/files/new_files.hpp"
#include "persistence/tables/lmdb_tables.hpp"
#include "persistence/tables/sqlite_tables.hpp"
#include "persistence/tables/table_store.hpp"

namespace skanu {

namespace {

namespace fs = std::filesystem;

/// Returns the services that a node keeps in LMDB.
std::vector<service> in_lmdb(const std::vector<service>& services) {
  std::vector<service> found;
  std::copy_if(services.begin(), services.end(), std::back_inserter(found),
               [](service s) { return s != service::delivery; });
  return found;
}

/// The files that stay the same as long as these databases are open. SQLite's log and its index
/// are among them: the last connection of all removes them, and a checkpoint does not.
std::vector<const char*> files_of(const std::vector<database>& databases) {
  std::vector<const char*> files = {"."};
  for (const auto& d : databases) {
    if (d.name == "sqlite")
      files.insert(files.end(), {sqlite_file, "delivery.sqlite3-wal", "delivery.sqlite3-shm"});
    else
      files.insert(files.end(), {"lmdb/data.mdb", "lmdb/lock.mdb"});
  }
  return files;
}

std::string lost_in(const std::string& folder, service s) {
  const auto* const file = s == service::delivery ? sqlite_file : lmdb_folder;
  return "the data directory " + folder + " has lost " + file +
         ": put it back, or restore the whole directory from a backup; to go on without what was "
         "in "
         "it, start once with --restored";
}

/// Returns the files that an opening would make of databases that are not there. Files beside a
/// database that is there are in use by other processes, perhaps; a write-ahead log without its
/// database holds acknowledged changes; a broken link stays, because the operator's disk is away.
std::vector<fs::path> missing_files(const fs::path& folder) {
  std::vector<fs::path> missing;
  const auto is_missing = [](const fs::path& file) {
    return !fs::exists(fs::symlink_status(file));
  };
  const auto add = [&](const fs::path& database, const std::vector<fs::path>& others) {
    if (!is_missing(database)) return;
    missing.push_back(database);
    std::ranges::copy_if(others, std::back_inserter(missing), is_missing);
  };
  const auto sqlite = folder / sqlite_file, lmdb = folder / lmdb_folder;
  add(sqlite, {sqlite.string() + "-wal", sqlite.string() + "-shm"});
  add(lmdb / "data.mdb", {lmdb / "lock.mdb", lmdb});
  return missing;
}

bool has_sqlite(const fs::path& folder) { return fs::exists(folder / sqlite_file); }

/// The services of the LMDB database; none where there is no such database.
std::vector<service> found_in_lmdb(const fs::path& folder) {
  const auto lmdb = folder / lmdb_folder;
  if (!fs::exists(lmdb / "data.mdb")) return {};
  return services_in_lmdb(lmdb.string());
}

/// Adds the existing databases of a directory.
void add_existing(const fs::path& folder, const std::string& prefix, std::vector<database>& found) {
  if (has_sqlite(folder))
    found.push_back({prefix + "sqlite",
                     make_table_store(open_sqlite_tables((folder / sqlite_file).string(),
                                                         {service::delivery}, 0),
                                      {service::delivery}),
                     prefix});
  const auto services = found_in_lmdb(folder);
  if (services.empty()) return;
  const auto lmdb = (folder / lmdb_folder).string();
  found.push_back({prefix + "lmdb",
                   make_table_store(open_lmdb_tables(lmdb, services, 0, page_use::all), services),
                   prefix + lmdb_folder});
}

bool share_one(const std::vector<service>& some, const std::vector<service>& others) {
  return std::ranges::find_first_of(some, others) != some.end();
}

/// Throws where the directory has held services and none of those asked for, before their tables
/// are made in it: nobody means to begin them in another node's folder.
void refuse_if_of_another_node(const std::string& folder, const std::vector<service>& asked) {
  const auto there = services_in(folder);
  if (there.empty() || asked.empty() || share_one(asked, there)) return;
  std::vector<database> existing;
  add_existing(folder, "", existing);
  const auto held = read_identity(existing).services;
  if (share_one(asked, held)) return;
  throw store_error(errc::store_failed,
                    "the data directory " + folder + " is another node's: it holds " +
                        by_commas(held.empty() ? there : held) + ", and not " + by_commas(asked) +
                        ". Each node has a directory of its own");
}

}  // namespace

data_directory::data_directory(const std::string& folder, const directory_options& options)
    : folder_(folder), lock_(folder), new_(missing_files(folder)) {
  try {
    const auto& services = options.services;
    lock_.add_databases();
    refuse_if_of_another_node(folder, services);
    if (std::find(services.begin(), services.end(), service::delivery) != services.end())
      databases_.push_back(
          {"sqlite", make_table_store(open_sqlite_tables((fs::path(folder) / sqlite_file).string(),
                                                         {service::delivery}, options.max_bytes),
                                      {service::delivery})});
    if (const auto rest = in_lmdb(services); !rest.empty())
      databases_.push_back(
          {"lmdb", make_table_store(open_lmdb_tables((fs::path(folder) / lmdb_folder).string(),
                                                     rest, options.max_bytes),
                                    rest)});
    lock_.add_databases();
    identity_ = read_identity(databases_);
    if (!options.restored && !identity_.lost.empty())
      throw store_error(errc::store_failed, lost_in(folder, identity_.lost.front()));
    for (const auto* part : files_of(databases_)) {
      const auto here = file_id_of(fs::path(folder) / part);
      if (!here)
        throw store_error(errc::store_failed, "the data directory " + folder + " has lost " + part +
                                                  " while it was opened");
      files_.emplace_back(part, *here);
    }
  } catch (...) {
    remove_new_databases();
    throw;
  }
  warn_if_open_to_others(folder);
}

void data_directory::remove_new_databases() {
  databases_.clear();
  std::error_code ignored;
  for (const auto& made : new_) fs::remove(made, ignored);
}

bool data_directory::is_there() const {
  return std::ranges::all_of(files_, [this](const auto& file) {
    return file_id_of(fs::path(folder_) / file.first) == file.second;
  });
}

store& data_directory::of(service s) {
  for (auto& d : databases_) {
    const auto& here = d.data->services();
    if (std::find(here.begin(), here.end(), s) != here.end()) return *d.data;
  }
  throw store_error(errc::store_failed, "no database of " + std::string(name_of(s)) + " here");
}

std::vector<service> services_in(const std::string& folder) {
  auto found = found_in_lmdb(folder);
  if (has_sqlite(folder)) found.push_back(service::delivery);
  return found;
}

std::vector<database> open_existing(const std::string& folder) {
  std::vector<database> found;
  std::error_code problem;
  if (!fs::is_directory(folder, problem))
    throw store_error(errc::store_failed, "there is no data directory " + folder);
  add_existing(folder, "", found);
  if (found.empty()) {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_directory()) folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    for (const auto& f : folders) add_existing(f, f.filename().string() + "/", found);
  }
  if (found.empty()) throw store_error(errc::store_failed, "there is no database in " + folder);
  return found;
}

}  // namespace skanu
