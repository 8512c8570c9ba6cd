// A policy follows another service's log and sends commands to entities of its own service:
// "whenever Paid, earn stamps". The table is actors/rules/reactions.cpp.
//
// It works through the log in batches, from a durable position. The effects of a batch are durable
// before the position is, and each has a natural key, so that a batch that is read twice acts once.
// What is merely absent (a full disk, a busy entity) is waited for, for ever, at a capped rate.
// What cannot be decided is tried a few times, then set aside as a dead letter, which parks the
// later events of that one entity and stops nobody else's. An operator has it carried out after
// all, or discards it; then what waited behind it follows in its order.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/consumers/consumer.hpp"
#include "actors/consumers/dead_letters.hpp"
#include "actors/entities/environment.hpp"
#include "actors/operations/backoff.hpp"
#include "actors/operations/faults.hpp"
#include "actors/rules/reactions.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// A consumer with its part of the saga's table (rules/reactions.hpp).
struct policy_definition {
  consumer who;
  std::vector<std::string> types;  ///< The events it looks at.
  /// The command that an event calls for; nothing where the event does not concern it. Throws
  /// decode_error.
  std::function<std::optional<addressed_command>(const nlohmann::json& event)> react;
  /// Sends a command to its entity. May be called again with the same command, for a repeat.
  std::function<void(const addressed_command&, command_context)> send;
};

/// The answer to the command that an event called for.
struct command_answered {
  log_offset offset = 0;  ///< Of the event.
  outcome result = {};
};
/// The answer to the command of a dead letter that is carried out after all.
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
    // From itself: send the command of this event again.
    caf::reacts_to<resume_atom, log_offset>>;

class policy final : public policy_interface::base {
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
    std::optional<trace_context> trace = {};  ///< Of the event.
  };

  void recover();
  void turn();
  void work_off(const event_batch& batch);
  void take(const event_batch::event& e);
  void send_command(log_offset offset, action& a);
  void on_answer(const command_answered& answer);
  void set_aside(log_offset offset, entity_id target, std::string_view event, std::string_view why,
                 int attempts);
  void commit_turn();
  void commit_rows(std::vector<row_write> rows);
  void on_commit(const outcome& result);
  void rest();

  void note_step(log_offset offset, std::string_view event) const;
  void carry_out(letter_errand e);
  void replay();
  void read_again();
  void on_replayed(const outcome& result);
  void finish_errand(const outcome& result);
  void plan();

  const service_environment& env_;
  policy_definition definition_;
  event_log_actor log_;
  fault_plan& faults_;
  consumer_limits limits_;
  std::mt19937_64 random_{env_.seeds.next()};
  log_reader reader_;
  std::unordered_map<log_offset, action> under_way_;
  dead_letter_box dead_letters_;
  std::optional<letter_errand> errand_;  ///< Carried out in place of a turn.
};

}  // namespace skanu
