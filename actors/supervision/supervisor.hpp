// Restarts independent actors: policies, views, housekeeping. The supervisor restarts a failed
// child with exponential backoff and jitter, and the child resumes from its durable position. The
// other children keep running.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/operations/backoff.hpp"
#include "actors/operations/metrics.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct child {
  std::string name;
  service of = service::order;
  std::function<caf::actor(caf::local_actor&)> start;
  std::vector<std::string> consumers = {};  ///< Consumer names of the child, for dead letters.
};

using supervisor_actor = caf::typed_actor<
    // Sent by the supervisor to itself: restart the child with the given index.
    caf::reacts_to<resume_atom, std::int64_t>,
    // Hands a dead letter command to the child with the letter's consumer name.
    caf::reacts_to<dead_letter_command, command_context>>;

/// Spawns the children at once, and respawns a child after its end. `metrics` outlives the actor.
/// On an exit message the supervisor first sends exit to its children, then ends.
class supervisor final : public supervisor_actor::base {
 public:
  supervisor(caf::actor_config& config, std::vector<child> children, node_metrics& metrics,
             std::uint64_t seed, backoff_settings restart = {});

  const char* name() const override { return "supervisor"; }
  behavior_type make_behavior() override;

 private:
  struct supervised {
    child what;
    caf::actor running = {};
    int failures = 0;
    std::chrono::steady_clock::time_point since = {};
  };

  void start(supervised& s);
  void on_down(const caf::down_msg& down);
  void hand_on(dead_letter_command& order, skanu::command_context& r);

  std::vector<supervised> children_;
  node_metrics& metrics_;
  backoff_settings restart_;
  std::mt19937_64 random_;
};

}  // namespace skanu
