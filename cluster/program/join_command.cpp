// `skanu join-stamps`: stamp accounts of one person become one, in a directory that is not served.
#include <algorithm>
#include <iostream>

#include "actors/rules/stamp_joins.hpp"
#include "cluster/program/commands.hpp"
#include "cluster/program/watched_reading.hpp"
#include "messages/fields.hpp"
#include "persistence/directory/data_directory.hpp"

namespace skanu {

namespace {

std::string line_of(const stamp_join& join, const join_commit& decided, bool joined) {
  std::string line;
  json_object_writer writer(line);
  writer("from", join.from);
  writer("into", join.into);
  writer("stampQty", decided.stamp_qty);
  writer("balance", decided.balance);
  writer("joined", joined);
  writer.close();
  return line;
}

std::vector<stamp_join> wanted_joins(const snapshot& accounts, const join_options& wanted) {
  if (wanted.from.empty()) return due_joins(accounts, wanted.country);
  return {{wanted.from, wanted.into}};
}

/// Takes the directory's logs for writing, as a start of the server does.
void begin_to_write(data_directory& directory, const std::string& folder) {
  auto identity = directory.identity();
  if (identity.backup_taken)
    throw store_error(errc::store_failed, "the data directory " + folder +
                                              " is a copy that no server has used: start its "
                                              "server once before joining accounts");
  begin_run(directory.databases(), identity);
}

void write(store& to, const commit& c) {
  const auto* one = &c;
  if (const auto problem = to.write({&one, 1}).front())
    throw store_error(*problem, "cannot join: " + std::string(name_of(*problem)));
}

int join_here(const program_options& options) {
  const auto services = services_in(options.data);
  if (std::ranges::find(services, service::stamp) == services.end())
    throw store_error(errc::store_failed, "there are no stamp accounts in " + options.data +
                                              ": give the data directory of the stamp service");
  data_directory directory(options.data, {.services = services});
  auto& accounts = directory.of(service::stamp);
  if (options.join.write) begin_to_write(directory, options.data);
  for (const auto& join : wanted_joins(*accounts.read(), options.join)) {
    const auto decided = decide_join(*accounts.read(), join, wall_clock_now());
    const bool joins = options.join.write && decided.stamp_qty != 0;
    if (joins) write(accounts, decided.data);
    std::cout << line_of(join, decided, joins) << std::endl;
  }
  if (!std::cout) throw std::runtime_error("cannot print what was joined");
  return 0;
}

}  // namespace

int run_join_stamps(const program_options& options) {
  return read_in_child(options.data, [&] { return join_here(options); });
}

}  // namespace skanu
