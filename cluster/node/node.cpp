#include "cluster/node/node.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <thread>

#include <spdlog/spdlog.h>

#include "cluster/node/node_actors.hpp"
#include "cluster/node/node_databases.hpp"
#include "cluster/node/node_front.hpp"
#include "cluster/peers/caf_transport.hpp"
#include "cluster/peers/reader.hpp"
#include "cluster/peers/remote.hpp"
#include "cluster/protocol/certificate.hpp"
#include "cluster/protocol/wire_format.hpp"
#include "persistence/directory/admin_token.hpp"

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

/// Configured peers, other than payment's, with databases that know of orders.
std::vector<std::string> peers_with_orders(const node_options& here) {
  std::vector<std::string> found;
  for (const auto& p : here.cluster.peers) {
    const auto runs = [&](service s) {
      return std::ranges::find(p.services, s) != p.services.end() && !here.runs(s);
    };
    if (!runs(service::payment) && (runs(service::delivery) || runs(service::ordertrace)))
      found.push_back(p.name);
  }
  return found;
}

}  // namespace

class node::parts {
 public:
  parts(const node_options& options, fault_plan& faults)
      : options_(options), faults_(faults), front_(options_, seeds_) {
    databases_.emplace(options_, metrics_, faults_, seeds_);
    const auto token = admin_token_at_start(options_.data);
    try {
      start_actors();
      front_.serve(actors_->directory(), view(), administration(token), token);
    } catch (...) {
      if (actors_) let_checkout_leave();
      end_actors();
      throw;
    }
    faults_.begin(std::chrono::steady_clock::now());
  }

  int port() const { return front_.port(); }

  bool is_alive() {
    return std::ranges::none_of(databases_->stores(),
                                [](const store* s) { return s != nullptr && !s->is_open(); });
  }

  void begin_to_leave() {
    spdlog::info("event=leaving");
    front_.begin_to_leave();
  }

  void stop() {
    if (std::exchange(stopped_, true)) return;
    spdlog::info("event=stopping");
    front_.stop();
    peers_.leave(serve_timeout);
    let_checkout_leave();
    end_actors();
    databases_->close();
    spdlog::info("event=stopped");
  }

 private:
  bool runs_here(service s) const { return options_.runs(s); }

  void start_actors() {
    auto ids = databases_->read_what_actors_begin_with();
    const bool shows_traces = options_.gateway || runs_here(service::ordertrace);
    actors_.emplace(
        node_tools{
            .system = system_,
            .others = peers_,
            .environments = databases_->environments(),
            .faults = faults_,
            .metrics = metrics_,
            .breaker = breaker_,
            .seeds = seeds_,
            .traces = shows_traces ? &front_.streams() : nullptr,
            .link_base = options_.links.public_url,
            .log_started = [this](service s,
                                  const event_log_actor& log) { databases_->set_log(s, log); }},
        checkout_start{.ids = std::move(ids),
                       .shared_journal = databases_->orders_and_payments_share(),
                       .restored = options_.restored || databases_->identity().backup_taken,
                       .followers = peers_with_orders(options_)});
    peers_.join(std::make_shared<membership>(databases_->identity().cluster, membership_here()));
    if (options_.cluster.given())
      for (auto* r : {&item_reader_, &page_reader_}) *r = system_.spawn<caf::detached>(reader);
    peers_.start(actors_->for_peers(item_reader_, page_reader_));
    actors_->start_consumers();
  }

  membership_functions membership_here() {
    membership_functions f;
    f.keep = [this](const std::string& cluster) { databases_->keep_cluster(cluster); };
    f.has_databases = !options_.services.empty();
    f.orders = [this] { return databases_->orders(); };
    f.heard = [this](const std::string& peer, const order_knowledge& orders) {
      actors_->take_note(peer, orders);
    };
    return f;
  }

  /// The ids that were reserved and not given go back, after a failed start too: later starts
  /// would reject each of them.
  void let_checkout_leave() {
    caf::scoped_actor self{system_};
    self->request(actors_->checkout_handle(), leave_timeout, leave_atom::value)
        .receive([](bool) {},
                 [](caf::error&) {
                   spdlog::warn("event=placement_did_not_leave in_ms={}",
                                std::chrono::milliseconds(leave_timeout).count());
                 });
  }

  void end_actors() {
    front_.stop();
    front_.forget_services();
    if (actors_ && actors_->consumers()) {
      caf::scoped_actor self{system_};
      self->send_exit(actors_->consumers(), caf::exit_reason::user_shutdown);
      self->wait_for(actors_->consumers());
    }
    peers_.stop();
    if (actors_) actors_->end();
    for (auto* r : {&item_reader_, &page_reader_}) {
      if (*r) caf::anon_send_exit(*r, caf::exit_reason::user_shutdown);
      *r = nullptr;
    }
    system_.await_all_actors_done();
    if (actors_) actors_->forget();
  }

  admin_view administration(const std::optional<std::string>& token) {
    admin_view v;
    v.stores = databases_->stores();
    for (const auto s : all_services)
      v.nodes[static_cast<std::size_t>(s)] =
          runs_here(s) ? options_.cluster.name : peers_.node_of(s);
    v.letters = letter_names(token.value_or(std::to_string(started_.time_since_epoch().count())));
    return v;
  }

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
    v.databases = databases_->views();
    v.stores = databases_->stores();
    v.metrics = &metrics_;
    v.data_is_there = [this] { return databases_->is_there(); };
    if (runs_here(service::order)) {
      v.breaker = &breaker_;
    } else if (options_.gateway) {
      v.breaker_elsewhere = [through = peers_.rpc_client_to(service::order)] {
        return remote_breaker(through);
      };
    }
    if (const auto& tls = options_.cluster.tls; tls.given())
      v.gauges.push_back(
          {"skanu_certificate_ends_timestamp_seconds", "When this node's certificate ends.",
           [ends = read_certificate(tls.certificate).ends] {
             return static_cast<std::int64_t>(
                 std::chrono::floor<std::chrono::seconds>(ends.time_since_epoch()).count());
           }});
    v.started = started_;
    v.build = {options_.build.version, options_.build.commit, oldest_protocol_version,
               protocol_version};
    return v;
  }

  const instant started_ = wall_clock_now();
  const node_options options_;
  fault_plan& faults_;
  node_metrics metrics_;
  seed_source seeds_{seed_by_chance()};
  breaker_display breaker_;
  node_front front_;
  actor_config config_{options_.cluster};
  caf::actor_system system_{config_};
  caf_transport transport_{system_, options_.cluster};
  peers peers_{system_, options_.cluster, transport_, seeds_};
  std::optional<node_databases> databases_;
  reader_actor item_reader_, page_reader_;
  std::optional<node_actors> actors_;
  bool stopped_ = false;
};

node::node(const node_options& options, fault_plan& faults)
    : parts_(std::make_unique<parts>(options, faults)) {}

node::~node() { stop(); }

int node::port() const { return parts_->port(); }

bool node::is_alive() { return parts_->is_alive(); }

void node::begin_to_leave() { parts_->begin_to_leave(); }

void node::stop() { parts_->stop(); }

}  // namespace skanu
