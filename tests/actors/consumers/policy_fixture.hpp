// A policy with a log of payments; the test answers the policy's commands.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "actors/consumers/event_log.hpp"
#include "actors/consumers/policy.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {

/// A policy's command, for the test to answer.
struct sent {
  entity_id target = 0;
  command_context how;
};

inline std::string event_for(entity_id target, const std::string& type = "Wanted") {
  return R"({"eventType":")" + type + R"(","target":)" + std::to_string(target) + "}";
}

class policy_test : public actor_fixture {
 protected:
  policy_test() {
    log = keep(system.spawn(event_log, &env(service::payment), service::payment));
    hint_to(service::payment, log);
  }

  policy_definition definition() {
    return {.who = consumers::stamp_follows_payment,
            .types = {"Wanted"},
            .react = [](const nlohmann::json& event) -> std::optional<addressed_command> {
              if (!event.contains("target")) throw decode_error("no target");
              const auto target = event.at("target").get<entity_id>();
              if (target == 0) return std::nullopt;
              return addressed_command{target, stamp_command(add_stamps{1})};
            },
            .send =
                [this](const addressed_command& c, command_context r) {
                  commands.push_back({c.id, std::move(r)});
                }};
  }

  static consumer_limits attempts_of(int n) {
    consumer_limits limits;
    limits.attempts = n;
    return limits;
  }

  void start_policy(consumer_limits limits = {}) {
    running = start<policy>(env(service::stamp), definition(), log, faults, limits);
    settle_messages();
  }

  void kill_policy() {
    caf::anon_send_exit(running, caf::exit_reason::kill);
    run();
    commands.clear();
  }

  /// Lets a little time pass, for delayed messages; the disk stands still.
  void settle_messages() { advance(milliseconds(20), false); }

  void happen(std::vector<std::string> bodies) {
    append_events(data, service::payment, std::move(bodies));
    caf::anon_send(log, hint_atom::value);
    settle_messages();
  }

  void answer(std::size_t i, outcome result = accepted{}) {
    commands.at(i).how.answer(std::move(result));
    run();
  }
  void fail(std::size_t i, errc code) { answer(i, error{code, "a test's failure"}); }

  /// Returns the stored position; 0 without a position.
  log_offset position() {
    const auto row =
        data.read()->row(service::stamp, row_space::meta, position_key("stamp-follows-payment"));
    return row ? std::stoll(*row) : 0;
  }

  std::vector<stored_row> dead_letters() {
    return data.read()->rows(service::stamp, row_space::dead_letters,
                             dead_letter_prefix("stamp-follows-payment"), {}, 100);
  }

  /// Sets aside the first event, and so also each later event for the same entity.
  void set_aside_first_of(std::vector<std::string> bodies) {
    happen({bodies.front()});
    start_policy(attempts_of(1));
    fail(0, errc::not_allowed);
    settle();
    bodies.erase(bodies.begin());
    if (!bodies.empty()) happen(std::move(bodies));
    settle();
  }

  /// Stores letters as if set aside before the start.
  void store_letters(const std::vector<dead_letter>& letters) {
    std::vector<row_write> rows;
    for (const auto& l : letters)
      rows.push_back(
          {row_space::dead_letters,
           dead_letter_prefix(l.consumer) + ordered_key(l.entity) + ordered_key(l.offset),
           to_json(l)});
    write_rows(data, service::stamp, std::move(rows));
  }

  asked order(letter_name letter, bool discard = false) {
    asked a;
    caf::anon_send(running, dead_letter_command{std::move(letter), discard}, request_of(a));
    run();
    return a;
  }

  std::vector<entity_id> targets() {
    std::vector<entity_id> all;
    for (const auto& c : commands) all.push_back(c.target);
    return all;
  }

  event_log_actor log;
  consumer_actor running;
  std::vector<sent> commands;
};

}  // namespace skanu
