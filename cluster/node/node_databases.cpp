#include "cluster/node/node_databases.hpp"

#include <spdlog/spdlog.h>

#include "actors/rules/consumers.hpp"
#include "cluster/node/run.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/log/log_position.hpp"

namespace skanu {

namespace {

/// Limit of the timelines in a hello: strangers' hellos must stay small, and ours with them.
constexpr std::ptrdiff_t most_timelines_told = 100;

}  // namespace

node_databases::written_database::written_database(std::string n, store& s,
                                                   directory_watch& directory,
                                                   node_metrics& metrics, fault_plan& faults)
    : name(std::move(n)),
      data(s),
      watch(name, metrics, faults, [&directory] { return directory.is_there(); }) {
  writer = std::make_unique<journal>(data, &watch);
}

node_databases::node_databases(const node_options& options, node_metrics& metrics,
                               fault_plan& faults, seed_source& seeds)
    : options_(options),
      directory_(options.data, {options.services, options.max_store_bytes, options.restored}) {
  begin_run(directory_, {options.services, options.restored, options.cluster.given()});
  for (auto& d : directory_.databases())
    databases_.push_back(
        std::make_unique<written_database>(d.name, *d.data, directory_watch_, metrics, faults));
  for (const auto s : options.services) {
    auto& d = database_of(s);
    environments_[static_cast<std::size_t>(s)] = std::make_unique<service_environment>(
        service_environment{d.data, *d.writer, metrics.of(s), seeds});
  }
  orders_ = read_orders();
}

node_databases::written_database& node_databases::database_of(service s) {
  const auto& target = directory_.of(s);
  return **std::ranges::find_if(databases_, [&](const auto& d) { return &d->data == &target; });
}

std::array<const service_environment*, service_count> node_databases::environments() const {
  std::array<const service_environment*, service_count> all{};
  for (std::size_t i = 0; i < service_count; ++i) all[i] = environments_[i].get();
  return all;
}

std::array<const store*, service_count> node_databases::stores() {
  std::array<const store*, service_count> all{};
  for (const auto s : options_.services) all[static_cast<std::size_t>(s)] = &database_of(s).data;
  return all;
}

std::vector<database_view> node_databases::views() const {
  std::vector<database_view> all;
  for (const auto& d : databases_)
    all.push_back({d->name, d->writer.get(), &d->watch.metrics(), &d->watch.health(), &d->data});
  return all;
}

bool node_databases::orders_and_payments_share() {
  return options_.runs(service::order) && options_.runs(service::payment) &&
         &database_of(service::order) == &database_of(service::payment);
}

id_recovery node_databases::read_what_actors_begin_with() {
  for (const auto& who : consumers::all)
    if (options_.runs(who.of)) stored_position(*database_of(who.of).data.read(), who.of, who.name);
  if (!options_.runs(service::order)) return {};
  return recover_ids(*database_of(service::order).data.read(), orders_and_payments_share());
}

/// Throws store_error and decode_error.
order_knowledge node_databases::read_orders() {
  order_knowledge known{known_order_ids(directory_, options_.services)};
  for (const auto& who : consumers::all) {
    if (who.follows != service::order || !options_.runs(who.of)) continue;
    const auto at = stored_position(*directory_.of(who.of).read(), who.of, who.name);
    if (at.next - 1 <= known.offset) continue;
    known.offset = at.next - 1;
    known.timeline = timeline_at(at.seen, known.offset);
    known.seen.assign(at.seen.end() - std::min(std::ssize(at.seen), most_timelines_told),
                      at.seen.end());
  }
  return known;
}

order_knowledge node_databases::orders() {
  const std::lock_guard lock(orders_mutex_);
  try {
    orders_ = read_orders();
  } catch (const std::exception& problem) {
    spdlog::error("event=ids_not_read reason=\"{}\"", problem.what());
  }
  return orders_;
}

void node_databases::keep_cluster(const std::string& cluster) {
  spdlog::info("event=cluster_joined cluster={}", cluster);
  for (const auto s : options_.services) {
    pending_commit c{.data = {.of = s}, .owner = std::make_shared<lone_commit_owner>()};
    c.data.rows.push_back({row_space::meta, std::string(cluster_id_key), cluster});
    database_of(s).writer->submit(std::move(c));
  }
}

void node_databases::close() {
  for (auto& d : databases_) {
    d->writer.reset();
    d->watch.forget_logs();
  }
}

}  // namespace skanu
