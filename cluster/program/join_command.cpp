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

constexpr int left_some_out = 1;

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

joins_due wanted_joins(const snapshot& accounts, const join_options& wanted) {
  if (wanted.from.empty()) return due_joins(accounts, wanted.country);
  return {.joins = {{wanted.from, wanted.into}}, .damaged = {}};
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

/// Joins two accounts, or only says what would be joined. Throws store_error.
void carry_out(const stamp_join& join, store& accounts, bool to_write) {
  const auto decided = decide_join(*accounts.read(), join, wall_clock_now());
  const bool joins = to_write && decided.stamp_qty != 0;
  if (joins) write(accounts, decided.data);
  std::cout << line_of(join, decided, joins) << std::endl;
}

int join_here(const program_options& options) {
  const auto services = services_in(options.data);
  if (std::ranges::find(services, service::stamp) == services.end())
    throw store_error(errc::store_failed, "there are no stamp accounts in " + options.data +
                                              ": give the data directory of the stamp service");
  data_directory directory(options.data, {.services = services});
  auto& accounts = directory.of(service::stamp);
  if (options.join.write) begin_to_write(directory, options.data);
  const auto wanted = wanted_joins(*accounts.read(), options.join);
  auto left_out = wanted.damaged;
  for (const auto& join : wanted.joins) {
    try {
      carry_out(join, accounts, options.join.write);
    } catch (const store_error& problem) {
      if (problem.code() != errc::damaged) throw;
      left_out.push_back(account_id_of(join.from));
    }
  }
  for (const auto id : left_out)
    std::cerr << "skanu: left as it is, because what is stored is damaged: " << phone_of_account(id)
              << std::endl;
  if (!std::cout) throw std::runtime_error("cannot print what was joined");
  return left_out.empty() ? 0 : left_some_out;
}

}  // namespace

int run_join_stamps(const program_options& options) {
  return read_in_child(options.data, [&] { return join_here(options); });
}

}  // namespace skanu
