#include "persistence/directory/directory_identity.hpp"

#include <algorithm>
#include <functional>

#include "persistence/directory/data_directory.hpp"
#include "persistence/log/log_lineage.hpp"

namespace skanu {

namespace {

void add_services(std::string_view text, std::vector<service>& to) {
  while (!text.empty()) {
    const auto name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    if (const auto s = service_named(name); s && std::ranges::find(to, *s) == to.end())
      to.push_back(*s);
  }
}

/// Adopts the identity in a database; throws if another database has a different identity.
void agree(std::string& known, const std::optional<std::string>& said, const database& by,
           const char* of_what) {
  if (!said) return;
  if (known.empty()) known = *said;
  if (known != *said)
    throw store_error(errc::store_failed, "the databases do not belong together: " + by.name +
                                              " is of another " + of_what +
                                              " than the others; restore all from one backup");
}

/// Writes rows of each service of a database in a single transaction.
void write_rows(store& into, const std::function<std::vector<row_write>(service)>& rows_of) {
  std::vector<commit> commits;
  for (const auto s : into.services()) commits.push_back({.of = s, .rows = rows_of(s)});
  std::vector<const commit*> batch;
  batch.reserve(commits.size());
  for (const auto& c : commits) batch.push_back(&c);
  for (const auto& result : into.write(batch))
    if (result)
      throw store_error(*result, "the data directory's identity cannot be written: " +
                                     std::string(name_of(*result)));
}

row_write meta(std::string_view key, std::optional<std::string> value) {
  return {row_space::meta, std::string(key), std::move(value)};
}

}  // namespace

std::string by_commas(const std::vector<service>& services) {
  std::string text;
  for (const auto s : services) text += (text.empty() ? "" : ",") + std::string(name_of(s));
  return text;
}

directory_identity read_identity(std::vector<database>& databases) {
  directory_identity found;
  std::vector<service> without;
  for (const auto& d : databases) {
    const auto now = d.data->read();
    for (const auto s : d.data->services()) {
      const auto row = [&](std::string_view key) { return now->row(s, row_space::meta, key); };
      const auto id = row(directory_id_key);
      if (!id) without.push_back(s);
      agree(found.id, id, d, "data directory");
      agree(found.cluster, row(cluster_id_key), d, "cluster");
      if (const auto services = row(directory_services_key))
        add_services(*services, found.services);
      if (auto taken = row(backup_key)) found.backup_taken = std::move(taken);
    }
  }
  std::ranges::copy_if(without, std::back_inserter(found.lost), [&](service s) {
    return std::ranges::find(found.services, s) != found.services.end();
  });
  for (const auto s : without) add_services(name_of(s), found.services);
  if (found.id.empty()) found.id = random_identity();
  return found;
}

void begin_run(std::vector<database>& databases, const directory_identity& identity) {
  const auto made = to_rfc3339(wall_clock_now());
  for (auto& d : databases) {
    const auto now = d.data->read();
    write_rows(*d.data, [&](service s) {
      std::vector<row_write> rows = {meta(directory_id_key, identity.id),
                                     meta(backup_key, std::nullopt), begin_timeline(*now, s)};
      if (!now->row(s, row_space::meta, directory_id_key))
        rows.push_back(meta(directory_made_key, made));
      if (!identity.cluster.empty()) rows.push_back(meta(cluster_id_key, identity.cluster));
      return rows;
    });
  }
  // Written after all databases have an identity: a service without an identity after a crash is
  // then new, not lost.
  for (auto& d : databases)
    write_rows(*d.data, [&](service) {
      return std::vector{meta(directory_services_key, by_commas(identity.services))};
    });
}

void mark_as_backup(std::vector<database>& databases, const std::string& taken_at) {
  for (auto& d : databases)
    write_rows(*d.data,
               [&](service) { return std::vector<row_write>{meta(backup_key, taken_at)}; });
}

}  // namespace skanu
