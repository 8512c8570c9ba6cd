#include "actors/supervision/supervisor.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/supervision/failures.hpp"

namespace skanu {

namespace {

/// A child that ran so long had recovered from its last failure.
constexpr std::chrono::seconds recovered_after{30};

}  // namespace

supervisor::supervisor(caf::actor_config& config, std::vector<child> children,
                       node_metrics& metrics, std::uint64_t seed, backoff_settings restart)
    : supervisor_actor::base(config), metrics_(metrics), restart_(restart), random_(seed) {
  for (auto& c : children) children_.push_back({.what = std::move(c)});
}

supervisor::behavior_type supervisor::make_behavior() {
  contain_failures(*this);
  set_down_handler([this](caf::down_msg& down) { on_down(down); });
  set_exit_handler([this](caf::exit_msg& exit) {
    for (auto& s : children_) {
      if (!s.running) continue;
      demonitor(s.running->address());
      send_exit(s.running, caf::exit_reason::user_shutdown);
      s.running = nullptr;
    }
    quit(exit.reason);
  });
  for (auto& s : children_) start(s);
  return {[this](resume_atom, std::int64_t number) {
            auto& s = children_.at(static_cast<std::size_t>(number));
            if (!s.running) start(s);
          },
          [this](dead_letter_command& order, skanu::command_context& r) { hand_on(order, r); }};
}

void supervisor::hand_on(dead_letter_command& order, skanu::command_context& r) {
  for (const auto& s : children_) {
    const auto& names = s.what.consumers;
    if (std::find(names.begin(), names.end(), order.letter.consumer) == names.end()) continue;
    if (!s.running)
      return r.answer(error{errc::entity_failed, "It is being started again. Please try again."});
    return send(caf::actor_cast<consumer_actor>(s.running), std::move(order), std::move(r));
  }
  r.answer(error{errc::not_found, "There is no such dead letter."});
}

void supervisor::start(supervised& s) {
  s.since = clock().now();
  s.running = s.what.start(*this);
  monitor(s.running);
}

void supervisor::on_down(const caf::down_msg& down) {
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto& s = children_[i];
    if (!s.running || s.running->address() != down.source) continue;
    s.running = nullptr;
    if (clock().now() - s.since > recovered_after) s.failures = 0;
    const auto wait = backoff(restart_, ++s.failures, random_);
    ++metrics_.of(s.what.of).consumer_restarts;
    spdlog::warn("event=restart child={} failures={} after_ms={} reason=\"{}\"", s.what.name,
                 s.failures, wait.count(), system().render(down.reason));
    delayed_send(this, wait, resume_atom::value, static_cast<std::int64_t>(i));
    return;
  }
}

}  // namespace skanu
