// Actors in virtual time on one thread: a test decides when messages are delivered, when time
// passes and when the disk turns.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/entities/environment.hpp"
#include "actors/entities/region.hpp"
#include "actors/supervision/journal_watch.hpp"
#include "messages/interfaces.hpp"
#include "persistence/tables/faulty_store.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/hand_driven_journal.hpp"

namespace skanu {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// "waiting", "created v1", "changed v2", "unchanged v2", or the word of an error.
inline std::string word_for(const std::optional<outcome>& result) {
  if (!result) return "waiting";
  if (const auto* e = std::get_if<error>(&*result)) return std::string(name_of(e->code));
  const auto& done = std::get<accepted>(*result);
  constexpr std::array<const char*, 3> effects = {"created", "changed", "unchanged"};
  return std::string(effects.at(static_cast<std::size_t>(done.what))) + " v" +
         std::to_string(done.version);
}

/// A client's view of its command.
class asked {
 public:
  /// A right to answer that ends here.
  reply right_to_answer() const {
    return reply_through([to = answer_](outcome result) { *to = std::move(result); });
  }

  std::string word() const { return word_for(*answer_); }
  bool waiting() const { return !answer_->has_value(); }
  const outcome& answer() const { return answer_->value(); }
  entity_id id() const { return std::get<accepted>(answer()).id; }
  std::string document() const { return *std::get<accepted>(answer()).document; }

 private:
  std::shared_ptr<std::optional<outcome>> answer_ = std::make_shared<std::optional<outcome>>();
};

inline std::ostream& operator<<(std::ostream& out, const asked& a) { return out << a.word(); }

/// What a client says beside its command.
struct conditions {
  std::optional<operation_id> operation = {};
  std::uint64_t fingerprint = 0;
  bool maybe_repeated = false;
  std::optional<version_condition> condition = {};
};

inline operation_id client_operation(unsigned char n) {
  operation_id id;
  id.from_client = true;
  id.bytes[0] = n;
  return id;
}

/// The same client key again: what the gateway sends for every request that brings one.
inline conditions under_key(unsigned char n, std::uint64_t fingerprint = 1) {
  return {client_operation(n), fingerprint, true, {}};
}

inline command_context request_of(const asked& a, const conditions& c = {}) {
  command_context r;
  r.answer = a.right_to_answer();
  r.operation = c.operation;
  r.fingerprint = c.fingerprint;
  r.maybe_repeated = c.maybe_repeated;
  r.condition = c.condition;
  return r;
}

struct virtual_time_config : caf::actor_system_config {
  virtual_time_config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.verbosity", caf::atom("quiet"));
  }
};

class actor_fixture : public testing::Test {
 protected:
  actor_fixture() {
    spdlog::set_level(spdlog::level::off);
    scheduler_.clock().current_time += std::chrono::hours(1);
  }

  ~actor_fixture() override {
    for (const auto& a : actors_) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    actors_.clear();
    watch_.forget_logs();
    do {
      run();
    } while (scheduler_.clock().trigger_timeout());
  }

  const service_environment& env(service s = service::order) {
    auto& e = environments_[static_cast<std::size_t>(s)];
    if (!e)
      e = std::make_unique<service_environment>(
          service_environment{data, disk, metrics.of(s), seeds, [this] { return wall_clock; }});
    return *e;
  }

  /// Starts a class-based actor that ends with the fixture.
  template <class Actor, class... Args>
  auto start(Args&&... args) {
    return keep(system.spawn<Actor>(std::forward<Args>(args)...));
  }

  /// Ends an actor with the fixture.
  template <class Handle>
  Handle keep(Handle a) {
    actors_.push_back(caf::actor_cast<caf::actor>(a));
    return a;
  }

  void hint_to(service s, const event_log_actor& log) { watch_.set_log(s, log); }

  /// Delivers every message that waits. Time and the disk stand still.
  void run() { scheduler_.run(); }

  /// Lets the disk turn and messages run until nothing waits. Time stands still.
  void settle() {
    do {
      run();
    } while (disk.turn());
  }

  /// Lets time pass in small steps; the disk turns where `disk_turns` is true.
  void advance(caf::timespan time, bool disk_turns = true) {
    const auto step = std::max<caf::timespan>(milliseconds(5), time / 2'000);
    while (time > caf::timespan{0}) {
      const auto now = std::min(step, time);
      scheduler_.clock().advance_time(now);
      wall_clock += std::chrono::duration_cast<milliseconds>(now);
      time -= now;
      disk_turns ? settle() : run();
    }
  }

  std::chrono::steady_clock::time_point virtual_now() { return scheduler_.clock().now(); }

  /// Sends a command to an entity's region.
  template <class Command, class What>
  asked tell(const region_actor<Command>& to, entity_id id, What what, const conditions& c = {}) {
    asked a;
    caf::anon_send(to, id, Command(std::move(what)), request_of(a, c));
    return a;
  }

  /// The stored document of an entity; empty where there is none.
  std::string stored(service s, entity_id id) { return data.read()->entity(s, id).value_or(""); }
  template <class State>
  State stored_state(service s, entity_id id) {
    const auto document = data.read()->entity(s, id);
    return document ? decode_document<State>(*document) : State{};
  }

  /// The types of the stored events of a log, in their order.
  std::vector<std::string> log_of(service s) {
    std::vector<std::string> types;
    for (const auto& e : data.read()->events(s, 1, 100'000))
      types.emplace_back(event_type_of(e.body));
    return types;
  }

  fault_plan faults;
  node_metrics metrics;
  seed_source seeds{1};
  faulty_store data{
      make_table_store(make_memory_tables(), {std::begin(all_services), std::end(all_services)})};

 private:
  journal_watch watch_{"memory", metrics, faults};

 protected:
  hand_driven_journal disk{data, &watch_};
  instant wall_clock = *from_rfc3339("2026-11-22T12:00:00.000Z");

 private:
  std::array<std::unique_ptr<service_environment>, service_count> environments_;
  virtual_time_config config_;

 protected:
  caf::actor_system system{config_};

 private:
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::vector<caf::actor> actors_;
};

}  // namespace skanu
