// A cluster in one process and in virtual time: each node has its actors, a memory store and a
// journal without a thread, and cables connect the nodes. All chance follows from one seed.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cluster/node/node_actors.hpp"
#include "cluster/peers/reader.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/cable.hpp"

namespace skanu {

/// The cables between all pairs of nodes, and the acceptors by the names of their nodes.
class cable_network {
 public:
  explicit cable_network(caf::actor_system& system) : system_(system) {}

  cable& between(const std::string& one, const std::string& other) {
    auto& c = cables_[std::minmax(one, other)];
    if (!c) c = std::make_unique<cable>(system_);
    return *c;
  }
  void close() {
    for (auto& [nodes, c] : cables_) c->close();
  }

  std::map<std::string, acceptor_actor> acceptors;

 private:
  caf::actor_system& system_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<cable>> cables_;
};

class cable_transport final : public transport {
 public:
  cable_transport(caf::actor_system& system, cable_network& network, std::string node)
      : system_(system), network_(network), node_(std::move(node)) {}

  connector_actor connector_to(const peer_address& peer) override {
    return system_.spawn(dial, this, peer.name);
  }
  std::uint16_t publish(const acceptor_actor& acceptor) override {
    network_.acceptors[node_] = acceptor;
    return 1;
  }
  void unpublish(const acceptor_actor&, std::uint16_t) override { network_.acceptors.erase(node_); }

 private:
  static connector_actor::behavior_type dial(connector_actor::pointer, cable_transport* from,
                                             const std::string& peer) {
    return {[=](dial_atom) -> caf::result<acceptor_actor> {
      auto& through = from->network_.between(from->node_, peer);
      const auto found = from->network_.acceptors.find(peer);
      if (through.cut || found == from->network_.acceptors.end())
        return caf::make_error(caf::sec::cannot_connect_to_node);
      return through.far(found->second);
    }};
  }

  caf::actor_system& system_;
  cable_network& network_;
  std::string node_;
};

/// A node without a socket, a file or a thread.
class virtual_node {
 public:
  virtual_node(caf::actor_system& system, cable_network& network, const cluster_options& options,
               std::uint64_t seed, std::function<instant()> clock)
      : seeds_(seed),
        disk(data, &watch_),
        by_(system, network, options.name),
        others_(system, options, by_, seeds_, clock),
        reader_(system.spawn(reader)) {
    std::array<const service_environment*, service_count> here{};
    for (const auto s : options.services) {
      const auto i = static_cast<std::size_t>(s);
      environments_[i] = std::make_unique<service_environment>(
          service_environment{data, disk, metrics.of(s), seeds_, clock});
      here[i] = environments_[i].get();
    }
    actors.emplace(
        node_tools{.system = system,
                   .others = others_,
                   .environments = here,
                   .faults = faults_,
                   .metrics = metrics,
                   .breaker = breaker,
                   .seeds = seeds_,
                   .log_started = [this](service s,
                                         const event_log_actor& log) { watch_.set_log(s, log); }},
        checkout_start{.ids = recover_ids(*data.read(), false)});
    membership_functions here_and_there;
    here_and_there.heard = [this](const std::string& peer, const order_knowledge& orders) {
      actors->take_note(peer, orders);
    };
    others_.join(std::make_shared<membership>("a cluster", here_and_there));
    others_.start(actors->for_peers(reader_, reader_));
    actors->start_consumers();
  }
  virtual_node(const virtual_node&) = delete;
  virtual_node& operator=(const virtual_node&) = delete;

  void end() {
    caf::anon_send_exit(actors->consumers(), caf::exit_reason::user_shutdown);
    actors->end();
    others_.stop();
    caf::anon_send_exit(reader_, caf::exit_reason::user_shutdown);
    reader_ = nullptr;
    watch_.forget_logs();
  }

  bool sees(service s) const {
    const auto status = others_.status_of(s);
    return status && status->up;
  }

  node_metrics metrics;
  breaker_display breaker;
  faulty_store data{
      make_table_store(make_memory_tables(), {std::begin(all_services), std::end(all_services)})};

 private:
  fault_plan faults_;
  seed_source seeds_;
  journal_watch watch_{"memory", metrics, faults_};

 public:
  hand_driven_journal disk;

 private:
  std::array<std::unique_ptr<service_environment>, service_count> environments_;
  cable_transport by_;
  peers others_;
  reader_actor reader_;

 public:
  std::optional<node_actors> actors;
};

/// Nodes by name, each configured with all others as peers.
class virtual_cluster {
 public:
  virtual_cluster(const std::map<std::string, std::vector<service>>& layout, std::uint64_t seed)
      : random_(seed) {
    spdlog::set_level(spdlog::level::off);
    scheduler_.clock().current_time += std::chrono::hours(1);
    for (const auto& [name, services] : layout) {
      cluster_options options;
      options.name = name;
      options.services = services;
      options.secret = "a secret of the cluster";
      for (const auto& [peer, theirs] : layout)
        if (peer != name) options.peers.push_back({peer, theirs, peer, 1});
      nodes_[name] = std::make_unique<virtual_node>(system_, network, options, random_(),
                                                    [this] { return wall_clock; });
    }
    settle();
  }
  ~virtual_cluster() {
    for (auto& [name, node] : nodes_) node->end();
    network.close();
    do {
      settle();
    } while (scheduler_.clock().trigger_timeout());
    nodes_.clear();
  }
  virtual_cluster(const virtual_cluster&) = delete;
  virtual_cluster& operator=(const virtual_cluster&) = delete;

  virtual_node& node(const std::string& name) { return *nodes_.at(name); }

  /// Delivers messages, and lets the disks write in an order by chance, until none has work. Time
  /// stands still.
  void settle() {
    do {
      scheduler_.run();
    } while (let_a_disk_write());
  }

  void advance(std::chrono::milliseconds time) {
    constexpr std::chrono::milliseconds step{5};
    for (; time.count() > 0; time -= step) {
      scheduler_.clock().advance_time(step);
      wall_clock += step;
      settle();
    }
  }

  /// Advances the time until the condition holds; false after 60 virtual seconds.
  template <class Condition>
  bool advance_until(Condition holds) {
    for (int i = 0; i < 1'200 && !holds(); ++i) advance(std::chrono::milliseconds(50));
    return holds();
  }

  instant wall_clock = *from_rfc3339("2026-11-22T12:00:00.000Z");

 private:
  bool let_a_disk_write() {
    std::vector<virtual_node*> busy;
    for (auto& [name, node] : nodes_)
      if (!node->disk.waiting().empty()) busy.push_back(node.get());
    if (busy.empty()) return false;
    auto& disk = busy[random_() % busy.size()]->disk;
    return disk.turn(1 + random_() % disk.waiting().size());
  }

  std::mt19937_64 random_;
  virtual_time_config config_;
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());

 public:
  cable_network network{system_};

 private:
  std::map<std::string, std::unique_ptr<virtual_node>> nodes_;
};

}  // namespace skanu
