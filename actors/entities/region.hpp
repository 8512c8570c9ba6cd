// The entities of one service on this node: woken when addressed, passivated when idle.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <random>
#include <unordered_map>

#include <spdlog/spdlog.h>

#include "actors/entities/entity.hpp"

namespace skanu {

struct region_limits {
  std::size_t live = 10'000;  ///< Target of entities in memory; passivation starts at 9/8 of it.
  std::chrono::seconds idle{30};           ///< Time without a command before passivation.
  std::int64_t waiting = 1'024;            ///< Limit of commands waiting for an entity.
  std::chrono::milliseconds sweep{1'000};  ///< Interval of the search for idle entities.
  /// Number of crashes in a row that sets an entity aside. A success ends the row, as do five
  /// minutes without a crash.
  int crashes = 3;
  /// Length of an entity's time aside, doubled with each further crash, at most a minute.
  std::chrono::milliseconds aside{1'000};
};

/// A commit of the entity failed: the entity's state is ahead of the store.
struct entity_lost {
  entity_id id = 0;
  caf::actor_id incarnation = 0;
};

/// An entity with crashes behind it whose command succeeded durably.
struct entity_recovered {
  entity_id id = 0;
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::entity_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::entity_recovered)

namespace skanu {

/// A region's messages, with the messages of the journal and the timer.
template <class Command>
using region_interface = typename region_actor<Command>::template extend<
    // From the journal: a commit failed, so the next command loads the entity anew from the store.
    caf::reacts_to<entity_lost>,
    // From the journal or the entity: the entity's crashes are over.
    caf::reacts_to<entity_recovered>,
    // Timer: passivates idle entities.
    caf::reacts_to<sweep_atom>>;

/// Spawns, keeps and passivates the entities of a service, and survives the crashes of entities.
/// After a crash the next command loads the entity anew; after several crashes in a row the entity
/// is set aside for a while, and commands are refused.
template <class Rules>
class region final : public region_interface<typename Rules::command>::base {
 public:
  using command = typename Rules::command;
  using handle = entity_actor<command>;
  using base = typename region_interface<command>::base;

  region(caf::actor_config& config, const service_environment& env, region_limits limits)
      : base(config), env_(env), limits_(limits) {}

  const char* name() const override { return "region"; }

  /// Releases the entities on the region's thread. CAF's clock thread may hold the last reference
  /// to the region, for a delayed message. A release there would block for ever: every ending actor
  /// sends the clock a message, and the clock would wait for room in the clock's own queue.
  void on_exit() override {
    live_.clear();
    by_actor_.clear();
    by_use_.clear();
  }

  typename base::behavior_type make_behavior() override {
    contain_failures(*this);
    this->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    return {[this](entity_id id, command& c, command_context& r) { hand_over(id, c, r); },
            [this](const entity_lost& lost) { forget(lost); },
            [this](const entity_recovered& r) { crashes_.erase(r.id); },
            [this](sweep_atom) { sweep(); }};
  }

 private:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::minutes crashes_remembered{5};

  struct live_entity {
    handle to;
    std::shared_ptr<entity_gauge> gauge;
    time_point last_used;
    std::list<entity_id>::iterator place;
  };
  using live_entities = std::unordered_map<entity_id, live_entity>;
  struct crash_record {
    int times = 0;
    time_point last_at;
    time_point aside_until;
  };

  time_point now() const { return this->clock().now(); }

  void hand_over(entity_id id, command& c, command_context& r) {
    if (const auto record = crashes_.find(id); record != crashes_.end()) {
      if (record->second.aside_until > now())
        return r.answer(error{errc::entity_failed, "It fails again and again, and was set aside."});
      r.answer = noting_success(id, std::move(r.answer));
    }
    auto& live = wake(id);
    if (live.gauge->waiting() >= limits_.waiting)
      return r.answer(error{errc::overloaded, "Too much is waiting for it."});
    live.gauge->came();
    this->send(live.to, std::move(c), std::move(r));
  }

  live_entity& wake(entity_id id) {
    if (const auto found = live_.find(id); found != live_.end()) {
      auto& e = found->second;
      e.last_used = now();
      by_use_.splice(by_use_.end(), by_use_, e.place);
      return e;
    }
    if (live_.size() >= limits_.live + limits_.live / 8) passivate_over_limit();
    auto& e = live_[id];
    e.last_used = now();
    e.place = by_use_.insert(by_use_.end(), id);
    start(id, e);
    start_sweeping();
    env_.metrics.live_entities = static_cast<std::int64_t>(live_.size());
    return e;
  }

  void start(entity_id id, live_entity& e) {
    const auto incarnation = std::make_shared<std::atomic<caf::actor_id>>(0);
    const auto self = caf::actor_cast<caf::actor_addr>(this);
    e.gauge = std::make_shared<entity_gauge>(
        [self, id, incarnation] {
          if (const auto me = caf::actor_cast<caf::actor>(self))
            caf::anon_send(me, entity_lost{id, incarnation->load()});
        },
        env_.metrics.waiting);
    e.to = this->template spawn<entity<Rules>, caf::monitored>(env_, id, e.gauge);
    incarnation->store(e.to.id());
    by_actor_.emplace(e.to.id(), id);
  }

  /// Releases an entity. The entity still works off the mailbox, then ends unreferenced.
  void erase(typename live_entities::iterator e) {
    this->demonitor(e->second.to.address());
    by_actor_.erase(e->second.to.id());
    by_use_.erase(e->second.place);
    live_.erase(e);
    env_.metrics.live_entities = static_cast<std::int64_t>(live_.size());
  }

  void forget(const entity_lost& lost) {
    ++env_.metrics.entity_failures;
    const auto e = live_.find(lost.id);
    if (e != live_.end() && e->second.to.id() == lost.incarnation) erase(e);
  }

  /// Returns a right to answer that also reports a success, for an entity with crashes.
  reply noting_success(entity_id id, reply answer) {
    return reply_through([self = caf::actor_cast<caf::actor_addr>(this), id,
                          answer = std::move(answer)](outcome&& result) {
      const auto me = caf::actor_cast<caf::actor>(self);
      if (me && std::holds_alternative<accepted>(result)) caf::anon_send(me, entity_recovered{id});
      answer(std::move(result));
    });
  }

  void on_down(const caf::down_msg& down) {
    const auto crashed = by_actor_.find(down.source.id());
    if (crashed == by_actor_.end()) return;
    const auto id = crashed->second;
    ++env_.metrics.entity_failures;
    auto& record = crashes_[id];
    record.last_at = now();
    if (++record.times >= limits_.crashes) {
      const auto doublings = std::min(record.times - limits_.crashes, 6);
      record.aside_until = now() + std::min<std::chrono::milliseconds>(
                                       limits_.aside * (1 << doublings), std::chrono::minutes(1));
    }
    spdlog::error("event=entity_crashed service={} id={} times={} reason=\"{}\"",
                  name_of(Rules::of), entity_in_log(Rules::of, id), record.times,
                  this->system().render(down.reason));
    erase(live_.find(id));
  }

  /// Passivates the least recently used entities, down to the limit; busy entities stay. Each
  /// ending actor is an event of CAF's clock thread; many at once wake the thread only once.
  void passivate_over_limit() {
    std::size_t looked_at = 0;
    for (auto place = by_use_.begin();
         place != by_use_.end() && live_.size() >= limits_.live && looked_at < limits_.live;
         ++looked_at)
      passivate(live_.find(*place++));
  }

  void passivate(typename live_entities::iterator e) {
    if (!e->second.gauge->quiescent()) return;
    ++env_.metrics.passivations;
    erase(e);
  }

  void start_sweeping() {
    if (std::exchange(sweeping_, true)) return;
    this->delayed_send(this, limits_.sweep, sweep_atom::value);
  }

  void sweep() {
    sweeping_ = false;
    const auto idle_since = now() - limits_.idle;
    for (auto place = by_use_.begin(); place != by_use_.end();) {
      const auto e = live_.find(*place++);
      if (e->second.last_used > idle_since && live_.size() <= limits_.live) break;
      passivate(e);
    }
    const auto forgotten_before = now() - crashes_remembered;
    std::erase_if(crashes_,
                  [&](const auto& record) { return record.second.last_at < forgotten_before; });
    if (!live_.empty() || !crashes_.empty()) start_sweeping();
  }

  const service_environment& env_;
  region_limits limits_;
  live_entities live_;
  std::unordered_map<caf::actor_id, entity_id> by_actor_;
  std::list<entity_id> by_use_;  ///< Least recently used first.
  std::unordered_map<entity_id, crash_record> crashes_;
  bool sweeping_ = false;
};

}  // namespace skanu
