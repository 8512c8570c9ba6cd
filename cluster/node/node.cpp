#include "cluster/node/node.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include <spdlog/spdlog.h>
#include <boost/core/demangle.hpp>

#include "actors/consumers/event_log.hpp"
#include "actors/consumers/policies.hpp"
#include "actors/consumers/trace_view.hpp"
#include "actors/entities/checkout.hpp"
#include "actors/entities/housekeeper.hpp"
#include "actors/entities/region.hpp"
#include "actors/rules/consumers.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "actors/supervision/faulty_payment.hpp"
#include "actors/supervision/journal_watch.hpp"
#include "actors/supervision/supervisor.hpp"
#include "cluster/node/run.hpp"
#include "cluster/peers/remote.hpp"
#include "cluster/protocol/certificate.hpp"
#include "http/access/admin_access.hpp"
#include "http/api/trace_feed.hpp"
#include "http/routes.hpp"
#include "http/server/server.hpp"
#include "persistence/directory/admin_token.hpp"
#include "persistence/directory/data_directory.hpp"
#include "persistence/directory/directory_watch.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/log/log_position.hpp"
#include "persistence/stored_number.hpp"

namespace skanu {

namespace {

constexpr std::chrono::seconds leave_timeout{3};
/// Limit of the wait for peers' calls; peers wait no longer.
constexpr std::chrono::milliseconds serve_timeout{2'000};

/// Gives CAF's clock the batch scheduling policy. CAF notifies the clock of the end of each entity,
/// under load thousands of times a second; in batch mode the clock does not preempt an actor each
/// time. If the system refuses the policy, the node is only slower.
class patient_clock final : public caf::thread_hook {
 public:
  void init(caf::actor_system&) override {}
  void thread_started() override {
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    const sched_param none{};
    if (std::string_view(name.data()) == "caf.clock") ::sched_setscheduler(0, SCHED_BATCH, &none);
  }
  void thread_terminates() override {}
};

struct actor_config : caf::actor_system_config {
  explicit actor_config(const cluster_options& cluster) {
    configure(*this, cluster);
    add_thread_hook<patient_clock>();
    // Actors share half of the processors, and leave the rest to requests and the journal: more
    // threads only wake each other. The threads share a queue and sleep while the queue is empty;
    // work stealing would poll.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads",
        std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, 8));
    // Bounds a busy actor's turn, so that other actors get the thread.
    set("scheduler.max-throughput", std::size_t{200});
    set("logger.verbosity", caf::atom("quiet"));
  }
};

/// Limit of the timelines in a hello: strangers' hellos must stay small, and ours with them.
constexpr std::ptrdiff_t most_timelines_told = 100;

/// The payment service's node, whatever its name.
constexpr std::string_view payments_node = "the payment node";

constexpr service trace_sources[] = {service::order, service::payment, service::delivery};

/// Limits the streams of an address to the connections of an address.
stream_options streams_of(const node_options& options) {
  auto o = options.streams;
  o.max_streams_per_address = options.max_connections_per_address;
  return o;
}

server_options options_of(const node_options& options) {
  server_options o;
  o.address = options.address;
  o.port = options.port;
  o.max_connections = options.max_connections;
  o.max_connections_per_address = options.max_connections_per_address;
  o.max_handed_over = options.streams.max_streams;
  return o;
}

/// A database with a journal.
struct written_database {
  written_database(std::string n, store& s, directory_watch& directory, node_metrics& metrics,
                   fault_plan& faults)
      : name(std::move(n)),
        data(s),
        watch(name, metrics, faults, [&directory] { return directory.is_there(); }) {
    writer = std::make_unique<journal>(data, &watch);
  }
  std::string name;
  store& data;
  journal_watch watch;
  std::unique_ptr<journal> writer;
};

}  // namespace

class node::parts {
 public:
  parts(const node_options& options, fault_plan& faults)
      : options_(options),
        faults_(faults),
        server_(
            options_of(options),
            [this](const httplib::Request& in, httplib::Response& out) { front_->answer(in, out); },
            [this](int status, std::string_view reason, httplib::Response& out) {
              front_->answer_error(status, reason, out);
            },
            handler_failed) {
    port_ = server_.bind();
    streams_.limit(server_.max_handed_over());
    if (!options.admin_address.empty()) open_admin();
    directory_.emplace(options.data, directory_options{options.services, options.max_store_bytes,
                                                       options.restored});
    begin_run(*directory_, {options.services, options.restored, options.cluster.given()});
    token_ = admin_token_at_start(options.data);
    open_journals();
    auto ids = read_what_actors_begin_with();
    try {
      start_actors(std::move(ids));
    } catch (...) {
      end_actors();
      throw;
    }
    front_ = std::make_unique<front>(
        *gateway_, view(), administration(),
        front_options{
            options.cors,
            is_loopback(options.address) ? std::optional(options.allowed_hosts) : std::nullopt,
            token_, shown(), options.gateway});
    streams_.start();
    server_.start();
    if (admin_) admin_->start();
    faults_.begin(std::chrono::steady_clock::now());
    if (server_.max_connections() < options.max_connections)
      spdlog::warn("event=too_few_open_files max_connections={} max_streams={}",
                   server_.max_connections(), server_.max_handed_over());
  }

  int port() const { return port_; }

  void stop() {
    if (std::exchange(stopped_, true)) return;
    spdlog::info("event=stopping");
    streams_.stop();
    server_.stop();
    if (admin_) admin_->stop();
    peers_.leave(serve_timeout);
    {
      caf::scoped_actor self{system_};
      self->request(checkout_, leave_timeout, leave_atom::value)
          .receive([](bool) {},
                   [](caf::error&) {
                     spdlog::warn("event=placement_did_not_leave in_ms={}",
                                  std::chrono::milliseconds(leave_timeout).count());
                   });
      self->send_exit(supervisor_, caf::exit_reason::user_shutdown);
      self->wait_for(supervisor_);
    }
    gateway_.reset();
    end_actors();
    for (auto& d : databases_) {
      d->writer.reset();
      d->watch.forget_logs();
    }
    spdlog::info("event=stopped");
  }

 private:
  /// Logs only the exception's type, because the message may contain a customer's data.
  static void handler_failed(const httplib::Request&, std::exception_ptr failure) {
    std::string kind = "unknown";
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& problem) {
      kind = boost::core::demangle(typeid(problem).name());
    } catch (...) {
    }
    spdlog::error("event=handler_failed exception={}", kind);
  }

  /// Opens the operators' listener, for a few connections.
  void open_admin() {
    server_options o;
    o.address = options_.admin_address;
    o.port = options_.admin_port;
    o.workers = 4;
    o.max_queued_requests = 64;
    o.max_connections = 64;
    admin_.emplace(
        o,
        [this](const httplib::Request& in, httplib::Response& out) {
          front_->answer(in, out, listener::operators);
        },
        [](int status, std::string_view reason, httplib::Response& out) {
          render_problem(status, reason, out);
        },
        handler_failed);
    const auto port = admin_->bind();
    spdlog::info("event=admin_listens address={}:{}", o.address, port);
  }

  std::vector<service> shown() const { return options_.gateway ? everything() : options_.services; }

  admin_view administration() {
    admin_view v;
    for (const auto s : all_services) {
      const auto i = static_cast<std::size_t>(s);
      v.nodes[i] = runs_here(s) ? options_.cluster.name : peers_.node_of(s);
      if (runs_here(s)) v.stores[i] = &database_of(s).data;
    }
    v.letters = letter_names(token_.value_or(std::to_string(started_.time_since_epoch().count())));
    v.breakers = [figures = view()] { return render_circuit_breakers(figures); };
    return v;
  }

  /// Ends the actors outside the supervisor.
  void end_actors() {
    streams_.stop();
    for (const auto& a : long_lived_) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    peers_.stop();
    forget_handles();
    system_.await_all_actors_done();
  }

  membership_functions membership_here() {
    membership_functions f;
    f.keep = [this](const std::string& cluster) { keep_cluster(cluster); };
    f.has_databases = !options_.services.empty();
    f.orders = [this] { return orders_now(); };
    f.heard = [this](const std::string& peer, const order_knowledge& orders) {
      const bool of_payment = peers_.node_of(service::payment) == peer;
      if (runs_here(service::order) && checkout_)
        caf::anon_send(checkout_,
                       known_ids{of_payment ? std::string(payments_node) : peer, orders});
    };
    return f;
  }

  /// Submits the commits without a wait: a node without the identity joins again.
  void keep_cluster(const std::string& cluster) {
    spdlog::info("event=cluster_joined cluster={}", cluster);
    for (const auto s : options_.services) {
      pending_commit c{.data = {.of = s}, .owner = std::make_shared<lone_commit_owner>()};
      c.data.rows.push_back({row_space::meta, std::string(cluster_id_key), cluster});
      database_of(s).writer->submit(std::move(c));
    }
  }

  /// Returns the order knowledge in the databases. Throws store_error and decode_error.
  order_knowledge read_orders() {
    order_knowledge known{known_order_ids(*directory_, options_.services)};
    for (const auto& who : consumers::all) {
      if (who.follows != service::order || !runs_here(who.of)) continue;
      const auto at = stored_position(*directory_->of(who.of).read(), who.of, who.name);
      if (at.next - 1 <= known.offset) continue;
      known.offset = at.next - 1;
      known.timeline = timeline_at(at.seen, known.offset);
      known.seen.assign(at.seen.end() - std::min(std::ssize(at.seen), most_timelines_told),
                        at.seen.end());
    }
    return known;
  }

  /// Returns the last values read if a read fails now.
  order_knowledge orders_now() {
    const std::lock_guard lock(orders_mutex_);
    try {
      orders_ = read_orders();
    } catch (const std::exception& problem) {
      spdlog::error("event=ids_not_read reason=\"{}\"", problem.what());
    }
    return orders_;
  }

  void open_journals() {
    directory_watch_.emplace(*directory_);
    for (auto& d : directory_->databases())
      databases_.push_back(std::make_unique<written_database>(d.name, *d.data, *directory_watch_,
                                                              metrics_, faults_));
    for (const auto s : options_.services) {
      auto& d = database_of(s);
      environments_[static_cast<std::size_t>(s)] = std::make_unique<service_environment>(
          service_environment{d.data, *d.writer, metrics_.of(s), seeds_});
    }
  }

  written_database& database_of(service s) {
    const auto& target = directory_->of(s);
    return **std::find_if(databases_.begin(), databases_.end(),
                          [&](const auto& d) { return &d->data == &target; });
  }

  const service_environment& environment(service s) {
    return *environments_[static_cast<std::size_t>(s)];
  }

  template <class Handle>
  Handle keep(Handle actor) {
    long_lived_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }

  static std::vector<service> everything() {
    return {std::begin(all_services), std::end(all_services)};
  }

  bool runs_here(service s) const {
    return std::ranges::find(options_.services, s) != options_.services.end();
  }

  bool shows_traces() const { return options_.gateway || runs_here(service::ordertrace); }

  /// Returns the region of a service's entities, or a stand-in for a service on another node.
  template <class Rules>
  region_actor<typename Rules::command> start_region() {
    using command = typename Rules::command;
    if (runs_here(Rules::of))
      return keep(region_actor<command>(
          system_.spawn<region<Rules>>(environment(Rules::of), region_limits{})));
    return keep(region_actor<command>(
        system_.spawn(remote_region<command>, peers_.rpc_client_to(Rules::of))));
  }

  event_log_actor start_log(service s) {
    if (!runs_here(s)) return keep(system_.spawn(remote_log, peers_.rpc_client_to(s), s));
    const auto here =
        keep(s == service::order ? system_.spawn(order_log, &environment(s), checkout_)
                                 : system_.spawn(event_log, &environment(s), s));
    database_of(s).watch.set_log(s, here);
    return here;
  }

  checkout_actor start_checkout(const order_region_actor& orders,
                                const payment_region_actor& payments, id_recovery ids) {
    if (!runs_here(service::order))
      return keep(system_.spawn(remote_checkout, peers_.rpc_client_to(service::order)));
    checkout_limits limits;
    limits.shared_journal = orders_and_payments_share();
    limits.restored = options_.restored || directory_->identity().backup_taken;
    if (!runs_here(service::payment)) limits.payment_node = payments_node;
    // Before the first id of all nobody knows any, and behind a leap nobody knows more.
    if (ids.next > 1 && !limits.restored) limits.followers = peers_with_orders();
    return keep(system_.spawn<checkout>(environment(service::order), orders, payments, faults_,
                                        breaker_, std::move(ids), limits));
  }

  /// Configured peers, other than payment's, with databases that know of orders.
  std::vector<std::string> peers_with_orders() const {
    std::vector<std::string> found;
    for (const auto& p : options_.cluster.peers) {
      const auto runs = [&](service s) {
        return std::ranges::find(p.services, s) != p.services.end() && !runs_here(s);
      };
      if (!runs(service::payment) && (runs(service::delivery) || runs(service::ordertrace)))
        found.push_back(p.name);
    }
    return found;
  }

  bool orders_and_payments_share() {
    return runs_here(service::order) && runs_here(service::payment) &&
           &database_of(service::order) == &database_of(service::payment);
  }

  /// Reads the first rows of the actors: a damaged row refuses the start, and would later end an
  /// actor.
  id_recovery read_what_actors_begin_with() {
    for (const auto& who : consumers::all)
      if (environments_[static_cast<std::size_t>(who.of)])
        stored_position(*database_of(who.of).data.read(), who.of, who.name);
    if (!runs_here(service::order)) return {};
    return recover_ids(*database_of(service::order).data.read(), orders_and_payments_share());
  }

  void start_actors(id_recovery ids) {
    const auto orders = start_region<order_rules>();
    auto payments = start_region<payment_rules>();
    // Only the payment node injects faults of payment.
    if (runs_here(service::payment) && faults_.touches_payment())
      payments = keep(system_.spawn(faulty_payment, payments, &faults_));
    const auto deliveries = start_region<delivery_rules>();
    const auto stamps = start_region<stamp_rules>();
    checkout_ = start_checkout(orders, payments, std::move(ids));
    for (const auto s : {service::order, service::payment, service::delivery, service::stamp})
      log(s) = start_log(s);
    if (shows_traces()) log(service::ordertrace) = start_log(service::ordertrace);
    orders_ = read_orders();
    peers_.join(std::make_shared<membership>(directory_->identity().cluster, membership_here()));
    peers_.start(for_peers(orders, payments, deliveries, stamps));
    std::vector<child> children;
    for (auto policies :
         {policies_of(service::order, orders), policies_of(service::payment, payments),
          policies_of(service::delivery, deliveries), policies_of(service::stamp, stamps)})
      for (auto& p : policies)
        if (runs_here(p.who.of)) children.push_back(child_of(std::move(p)));
    if (runs_here(service::ordertrace)) children.push_back(trace_child());
    if (shows_traces()) children.push_back(feed_child());
    for (const auto s : options_.services) children.push_back(housekeeper_child(s));
    supervisor_ = system_.spawn<supervisor>(std::move(children), metrics_, seeds_.next());
    service_directory directory{checkout_, orders, payments, deliveries, stamps,
                                {},        {},     {},       &streams_};
    for (const auto s : options_.services)
      directory.dead_letter_routers[static_cast<std::size_t>(s)] = supervisor_;
    for (const auto s : all_services) {
      directory.readers[static_cast<std::size_t>(s)] = reader_of(s);
      directory.elsewhere[static_cast<std::size_t>(s)] = !runs_here(s);
    }
    gateway_ = std::make_unique<gateway>(std::move(directory));
  }

  std::function<std::unique_ptr<reading>()> reader_of(service s) {
    if (!runs_here(s))
      return [through = peers_.rpc_client_to(s)] { return remote_reading(through); };
    return [&data = database_of(s).data] { return data.read(); };
  }

  local_services for_peers(const order_region_actor& orders, const payment_region_actor& payments,
                           const delivery_region_actor& deliveries,
                           const stamp_region_actor& stamps) {
    local_services here;
    if (runs_here(service::order)) {
      here.checkout = checkout_;
      here.orders = orders;
      here.breaker = &breaker_;
    }
    if (runs_here(service::payment)) here.payments = payments;
    if (runs_here(service::delivery)) here.deliveries = deliveries;
    if (runs_here(service::stamp)) here.stamps = stamps;
    for (const auto s : options_.services) {
      here.logs[static_cast<std::size_t>(s)] = log(s);
      here.stores[static_cast<std::size_t>(s)] = &database_of(s).data;
    }
    return here;
  }

  child child_of(policy_definition p) {
    const auto who = p.who;
    const std::string name(who.name);
    return {name,
            who.of,
            [this, who, p = std::move(p)](caf::local_actor& by) {
              return caf::actor_cast<caf::actor>(by.spawn<policy>(
                  environment(who.of), p, log(who.follows), faults_, consumer_limits{}));
            },
            {name}};
  }

  child trace_child() {
    std::vector<std::string> names;
    for (const auto s : trace_sources) names.emplace_back(trace_consumer(s).name);
    return {"ordertrace", service::ordertrace,
            [this](caf::local_actor& by) {
              std::vector<trace_view::source> sources;
              for (const auto s : trace_sources) sources.push_back({s, log(s)});
              consumer_limits limits;
              limits.batch = 2'000;
              limits.window = std::chrono::milliseconds(20);
              return caf::actor_cast<caf::actor>(
                  by.spawn<trace_view>(environment(service::ordertrace), sources, limits));
            },
            std::move(names)};
  }

  child feed_child() {
    return {"trace-feed", service::ordertrace, [this](caf::local_actor& by) {
              return caf::actor_cast<caf::actor>(
                  by.spawn<trace_feed>(log(service::ordertrace), streams_, seeds_.next()));
            }};
  }

  child housekeeper_child(service s) {
    return {"housekeeper-" + std::string(name_of(s)), s, [this, s](caf::local_actor& by) {
              return caf::actor_cast<caf::actor>(by.spawn(housekeeper, &environment(s), s));
            }};
  }

  event_log_actor& log(service s) { return logs_[static_cast<std::size_t>(s)]; }

  actuator_view view() {
    actuator_view v;
    v.services = options_.services;
    for (const auto s : all_services) {
      if (runs_here(s) || (peers_.status_of(s) == nullptr && !options_.gateway)) continue;
      v.elsewhere.push_back({s, [this, s]() -> std::optional<remote_status> {
                               const auto status = peers_.status_of(s);
                               if (!status) return std::nullopt;
                               return remote_status{status->up, status->clock_offset_ms};
                             }});
    }
    for (const auto& d : databases_)
      v.databases.push_back(
          {d->name, d->writer.get(), &d->watch.metrics(), &d->watch.health(), &d->data});
    v.metrics = &metrics_;
    v.data_is_there = [this] { return directory_watch_->is_there(); };
    if (runs_here(service::order)) {
      v.breaker = &breaker_;
    } else if (options_.gateway) {
      v.breaker_elsewhere = [this, through = peers_.rpc_client_to(service::order)] {
        return gateway_->ask(service::order, [&] { return remote_breaker(through); });
      };
    }
    for (const auto s : options_.services)
      v.stores[static_cast<std::size_t>(s)] = &database_of(s).data;
    const auto gauge = [&](std::string_view name, std::string_view help, auto count) {
      v.gauges.push_back(
          {name, help, [this, count] { return static_cast<std::int64_t>((server_.*count)()); }});
    };
    gauge("skanu_http_connections", "Open connections.", &server::open_connections);
    gauge("skanu_http_requests_in_progress", "Requests whose handler is running.",
          &server::requests_in_progress);
    gauge("skanu_http_requests_queued", "Requests that wait for a worker.",
          &server::queued_requests);
    v.gauges.push_back({"skanu_http_streams", "Subscribers of event streams.",
                        [this] { return static_cast<std::int64_t>(streams_.subscribers()); }});
    if (const auto& tls = options_.cluster.tls; tls.given())
      v.gauges.push_back(
          {"skanu_certificate_ends_timestamp_seconds", "When this node's certificate ends.",
           [ends = read_certificate(tls.certificate).ends] {
             return static_cast<std::int64_t>(
                 std::chrono::floor<std::chrono::seconds>(ends.time_since_epoch()).count());
           }});
    v.started = started_;
    return v;
  }

  /// Releases the handles: the actor system must outlive every handle.
  void forget_handles() {
    long_lived_.clear();
    checkout_ = nullptr;
    supervisor_ = nullptr;
    logs_.fill({});
  }

  const instant started_ = wall_clock_now();
  node_options options_;
  fault_plan& faults_;
  std::optional<data_directory> directory_;
  std::optional<directory_watch> directory_watch_;
  std::optional<std::string> token_;
  node_metrics metrics_;
  seed_source seeds_{seed_by_chance()};
  breaker_display breaker_;
  event_stream streams_{streams_of(options_)};
  actor_config config_{options_.cluster};
  caf::actor_system system_{config_};
  peers peers_{system_, options_.cluster};
  std::vector<std::unique_ptr<written_database>> databases_;
  std::array<std::unique_ptr<service_environment>, service_count> environments_;
  std::vector<caf::actor> long_lived_;
  std::array<event_log_actor, service_count> logs_;
  checkout_actor checkout_;
  supervisor_actor supervisor_;
  std::unique_ptr<gateway> gateway_;
  std::unique_ptr<front> front_;
  server server_;
  std::optional<server> admin_;
  std::mutex orders_mutex_;
  order_knowledge orders_;  ///< As last read from the databases.
  int port_ = 0;
  bool stopped_ = false;
};

node::node(const node_options& options, fault_plan& faults)
    : parts_(std::make_unique<parts>(options, faults)) {}

node::~node() { stop(); }

int node::port() const { return parts_->port(); }

void node::stop() { parts_->stop(); }

}  // namespace skanu
