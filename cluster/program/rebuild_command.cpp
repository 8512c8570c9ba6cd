// `skanu rebuild`: the indexes and counts of a directory that is not served, made from its
// documents.
#include <iostream>

#include "actors/rules/listing.hpp"
#include "cluster/program/commands.hpp"
#include "cluster/program/watched_reading.hpp"
#include "messages/fields.hpp"
#include "persistence/directory/data_directory.hpp"

namespace skanu {

namespace {

constexpr int cannot = 2;

std::string line_of(service s, const index_changes& changes) {
  std::string line;
  json_object_writer writer(line);
  writer("service", name_of(s));
  writer("documents", changes.documents);
  writer("moved", changes.moved);
  writer("indexAdded", changes.added);
  writer("indexRemoved", changes.removed);
  writer("countsChanged", changes.counts);
  writer("unreadable", changes.unreadable);
  writer.close();
  return line;
}

/// The documents that could not be read, the first of them by name.
std::string unreadable_in(service s, const index_changes& changes) {
  std::string text;
  for (const auto id : changes.named)
    text += (text.empty() ? "" : ", ") + std::string(name_of(s)) + " " + entity_in_log(s, id);
  const auto more = changes.unreadable - std::ssize(changes.named);
  return more > 0 ? text + " and " + std::to_string(more) + " more" : text;
}

int rebuild_here(const std::string& folder) {
  const auto services = services_in(folder);
  if (services.empty()) throw store_error(errc::store_failed, "there is no database in " + folder);
  data_directory directory(folder, {.services = services, .restored = true});
  bool complete = true;
  for (const auto s : services) {
    const auto changes = directory.of(s).rebuild_index(s, listing_in);
    std::cout << line_of(s, changes) << std::endl;
    if (changes.unreadable == 0) continue;
    complete = false;
    std::cerr << "skanu: these cannot be read, and keep the entries that they have: "
              << unreadable_in(s, changes) << std::endl;
  }
  if (!std::cout) throw std::runtime_error("cannot print what was changed");
  return complete ? 0 : cannot;
}

}  // namespace

int run_rebuild(const program_options& options) {
  return read_in_child(options.data, [&] { return rebuild_here(options.data); });
}

}  // namespace skanu
