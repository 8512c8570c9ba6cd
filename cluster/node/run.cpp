#include "cluster/node/run.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/rules/consumers.hpp"
#include "actors/rules/id_recovery.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/log/log_position.hpp"

namespace skanu {

namespace {

[[noreturn]] void refuse_older_orders(service than, const std::string& what_it_knows) {
  throw store_error(errc::store_failed,
                    "the data of the order service is older than that of " +
                        std::string(name_of(than)) + ", which knows " + what_it_knows +
                        ": ids would be given twice. Restore the whole directory from one "
                        "backup, or start once with --restored");
}

/// Throws if another database knows a later order id than the order service. Within the order
/// service's database, such an id means a damaged reservation; recover_ids() reports the damage.
void refuse_if_ids_are_behind(data_directory& directory, const std::vector<service>& services) {
  const auto& orders = directory.of(service::order);
  const auto reserved = last_known_order_id(*orders.read(), service::order);
  for (const auto s : services) {
    const auto& other = directory.of(s);
    if (&other == &orders) continue;
    const auto known = last_known_order_id(*other.read(), s);
    if (known > reserved) refuse_older_orders(s, "order " + std::to_string(known));
  }
}

/// Orders that went no further than their own log are known by its readers' positions alone.
void refuse_if_log_is_behind(data_directory& directory, const std::vector<service>& services) {
  auto& orders = directory.of(service::order);
  const auto now = orders.read();
  for (const auto& who : consumers::all) {
    if (who.follows != service::order || std::ranges::find(services, who.of) == services.end())
      continue;
    auto& other = directory.of(who.of);
    if (&other == &orders) continue;
    const auto at = stored_position(*other.read(), who.of, who.name);
    const auto known = at.next - 1;
    const auto timeline = std::string(timeline_at(at.seen, known));
    if (compare_log(*now, {0, known, timeline, at.seen}) == log_match::lost)
      refuse_older_orders(who.of, "another log of it up to event " + std::to_string(known));
  }
}

/// Throws if the clock is behind the backup: the leap over ids is computed from the clock, and
/// would not reach the ids given after the backup.
void refuse_if_clock_is_behind(const std::string& taken, instant now) {
  const auto at = from_rfc3339(taken);
  if (at && *at <= now) return;
  throw store_error(errc::store_failed,
                    "the clock says " + to_rfc3339(now) + ", and the backup was taken at " + taken +
                        ": ids given since would be given again. Set the clock, and start again");
}

/// Marks the stored forks as accepted, on the operator's word.
void accept_forks(data_directory& directory, const std::vector<service>& services) {
  for (const auto& who : consumers::all) {
    if (std::ranges::find(services, who.of) == services.end()) continue;
    auto& data = directory.of(who.of);
    commit c{.of = who.of};
    for (auto& fork : stored_forks(*data.read(), who.of, who.name)) {
      if (std::exchange(fork.accepted, true)) continue;
      spdlog::info("event=fork_accepted consumer={} known={} common={}", fork.consumer, fork.known,
                   fork.common);
      c.rows.push_back(fork_row(fork));
    }
    const commit* batch[] = {&c};
    if (c.rows.empty()) continue;
    if (const auto failure = data.write(batch).front())
      throw store_error(*failure, "forks cannot be accepted: " + std::string(name_of(*failure)));
  }
}

/// Leaps over the ids given since a restored copy, or throws if ids would be given twice.
void begin_ids(data_directory& directory, const run_options& options) {
  if (std::ranges::find(options.services, service::order) == options.services.end()) return;
  auto& identity = directory.identity();
  if (identity.backup_taken || options.restored) {
    const auto known = known_order_ids(directory, options.services);
    const auto now = wall_clock_now();
    if (identity.backup_taken) refuse_if_clock_is_behind(*identity.backup_taken, now);
    const auto last = last_skipped_id(known, now);
    skip_ids(directory.of(service::order), last);
    spdlog::warn("event=ids_skipped known={} next_id={}", known, last + 1);
  } else {
    refuse_if_ids_are_behind(directory, options.services);
    refuse_if_log_is_behind(directory, options.services);
  }
  // The order service creates the cluster's identity, because all ids begin there. After a loss of
  // the order service's data, the other nodes still know the identity.
  if (identity.cluster.empty() && !(options.restored && options.has_peers))
    identity.cluster = random_identity();
}

}  // namespace

void begin_run(data_directory& directory, const run_options& options) {
  auto& identity = directory.identity();
  if (identity.backup_taken)
    spdlog::warn("event=started_from_backup taken={}", *identity.backup_taken);
  if (options.restored)
    spdlog::warn(
        "event=restored_accepted advice=\"this start accepts what was lost, and so does every "
        "start with --restored (SKANU_RESTORED, or restored in the configuration file): take it "
        "out again\"");
  for (const auto s : identity.lost)
    spdlog::error("event=data_lost service={} accepted=true", name_of(s));
  try {
    begin_ids(directory, options);
  } catch (...) {
    directory.remove_new_databases();
    throw;
  }
  begin_run(directory.databases(), identity);
  if (options.restored) accept_forks(directory, options.services);
}

entity_id known_order_ids(data_directory& directory, const std::vector<service>& services) {
  entity_id last = 0;
  for (const auto s : services)
    last = std::max(last, last_known_order_id(*directory.of(s).read(), s));
  return last;
}

}  // namespace skanu
