// Keeps what works on its own alive: policies, views, housekeeping. A child that fails is started
// again with exponential backoff and jitter; it begins from its durable position. The others go on.
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
  std::vector<std::string> consumers = {};  ///< The names under which it follows logs.
};

using supervisor_actor = caf::typed_actor<
    // From itself: start the child of that number again.
    caf::reacts_to<resume_atom, std::int64_t>,
    // Hands the order to the child that is that consumer.
    caf::reacts_to<dead_letter_command, command_context>>;

/// Spawns the children at once, and again whenever one goes. `metrics` outlives the actor. When the
/// supervisor is told to exit, its children are first.
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
