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
  const auto timelines = stored_lineage(*now, service::order);
  for (const auto& who : consumers::all) {
    if (who.follows != service::order || std::ranges::find(services, who.of) == services.end())
      continue;
    auto& other = directory.of(who.of);
    if (&other == &orders) continue;
    const auto at = stored_position(*other.read(), who.of, who.name);
    if (read_log(*now, service::order, timelines, at.query(0, {})).forked)
      refuse_older_orders(who.of, "another log of it up to event " + std::to_string(at.next - 1));
  }
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

}  // namespace

void begin_run(data_directory& directory, const run_options& options) {
  auto& identity = directory.identity();
  if (identity.backup_taken)
    spdlog::warn("event=started_from_backup taken={}", *identity.backup_taken);
  for (const auto s : identity.lost)
    spdlog::error("event=data_lost service={} accepted=true", name_of(s));
  if (std::ranges::find(options.services, service::order) != options.services.end()) {
    if (identity.backup_taken || options.restored) {
      const auto known = known_order_ids(directory, options.services);
      const auto last = last_skipped_id(known, wall_clock_now());
      skip_ids(directory.of(service::order), last);
      spdlog::warn("event=ids_skipped known={} next_id={}", known, last + 1);
    } else {
      refuse_if_ids_are_behind(directory, options.services);
      refuse_if_log_is_behind(directory, options.services);
    }
    // The order service creates the cluster's identity, because all ids begin there. After a loss
    // of the order service's data, the other nodes still know the identity.
    if (identity.cluster.empty() && !(options.restored && options.has_peers))
      identity.cluster = random_identity();
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
