// A policy follows another service's log and sends commands to entities of its own service:
// "whenever Paid, earn stamps". The table is actors/rules/reactions.cpp.
//
// The policy reads the log in batches, from a durable position. The effects of a batch are durable
// before the position, and have natural keys, so a batch read twice acts once. After a passing
// failure (a full disk, a busy entity) the policy tries for ever, at a capped rate. An undecidable
// event is tried a few times, then set aside as a dead letter; only later events of the same entity
// wait behind. After an operator's replay or discard, the waiting events follow in order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/consumers/consumer_actor.hpp"
#include "actors/operations/faults.hpp"
#include "actors/rules/reactions.hpp"

namespace skanu {

/// A consumer with its part of the saga's table (rules/reactions.hpp).
struct policy_definition {
  consumer who;
  std::vector<std::string> types;  ///< Types of the events to read; empty: all.
  /// Returns the command for an event; nullopt for an event of no concern. Throws decode_error.
  std::function<std::optional<addressed_command>(const nlohmann::json& event)> react;
  /// Sends a command to the entity; called again with the same command for a repeat.
  std::function<void(const addressed_command&, command_context)> send;
};

/// The answer to the command for an event.
struct command_answered {
  log_offset offset = 0;  ///< The event's.
  outcome result = {};
};
/// The answer to the command of a replayed dead letter.
struct replay_answered {
  outcome result = {};
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::command_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::replay_answered)

namespace skanu {

using policy_interface = consumer_interface::extend<
    // From the entity or its journal.
    caf::reacts_to<command_answered>, caf::reacts_to<replay_answered>,
    // Timer: sends the event's command again.
    caf::reacts_to<resume_atom, log_offset>>;

class policy final : public consumer_actor_base<policy_interface> {
 public:
  policy(caf::actor_config& config, const service_environment& env, policy_definition definition,
         event_log_actor log, fault_plan& faults, consumer_limits limits = {});

  const char* name() const override { return "policy"; }
  behavior_type make_behavior() override;

 private:
  struct action {
    addressed_command what = {};
    std::string event;
    int attempts = 0;
    std::optional<trace_context> trace = {};  ///< The event's.
  };

  void take(std::size_t log, const event_batch& batch) override;
  void all_taken() override;
  void replay() override;
  void commit_errand(std::vector<row_write> rows) override;
  std::string turn_not_stored(errc why) override;

  void take(const event_batch::event& e);
  void send_command(log_offset offset, action& a);
  void on_answer(const command_answered& answer);
  void on_replayed(const outcome& result);
  void set_aside(log_offset offset, entity_id target, std::string_view event, std::string_view why,
                 int attempts);
  void note_step(log_offset offset, std::string_view event) const;

  policy_definition definition_;
  fault_plan& faults_;
  std::unordered_map<log_offset, action> under_way_;
};

}  // namespace skanu
