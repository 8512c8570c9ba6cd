#include "actors/consumers/policy.hpp"

#include <spdlog/spdlog.h>

#include "messages/event.hpp"

namespace skanu {

namespace {

/// True for a transient failure without a bearing on the event itself.
bool worth_waiting_for(errc code) { return is_transient(code) && code != errc::entity_failed; }

}  // namespace

policy::policy(caf::actor_config& config, const service_environment& env,
               policy_definition definition, event_log_actor log, fault_plan& faults,
               consumer_limits limits)
    : consumer_actor_base(config, env, definition.who.of,
                          {{{.who = definition.who, .types = definition.types}, std::move(log)}},
                          limits),
      definition_(std::move(definition)),
      faults_(faults) {}

policy::behavior_type policy::make_behavior() {
  return begin([this](const command_answered& a) { on_answer(a); },
               [this](const replay_answered& a) { on_replayed(a.result); },
               [this](resume_atom, log_offset offset) {
                 const auto found = under_way_.find(offset);
                 if (found != under_way_.end()) send_command(offset, found->second);
               });
}

void policy::take(std::size_t log, const event_batch& batch) {
  if (reader_.position(log).next == 1 && !batch.events.empty())
    note_older_events(*env_.data.read(), definition_.who, batch.events.front());
  for (const auto& e : batch.events) take(e);
}

void policy::take(const event_batch::event& e) {
  if (e.body.empty()) return set_aside(e.offset, 0, {}, damaged_event, 1);
  std::optional<addressed_command> what;
  try {
    what = definition_.react(parse_stored_json(e.body));
  } catch (const decode_error& problem) {
    return set_aside(e.offset, 0, e.body, problem.what(), 1);
  }
  if (!what) return;
  if (dead_letters_.parks(what->id))
    return set_aside(e.offset, what->id, e.body, dead_letter_box::parked_reason, 0);
  auto& a = under_way_.emplace(e.offset, action{std::move(*what), e.body, 0, trace_of(e.body)})
                .first->second;
  send_command(e.offset, a);
}

void policy::send_command(log_offset offset, action& a) {
  ++a.attempts;
  skanu::command_context r;
  r.answer = reply_to(address(), command_answered{offset});
  r.trace = a.trace;
  definition_.send(a.what, std::move(r));
}

void policy::on_answer(const command_answered& answer) {
  const auto& [offset, result] = answer;
  const auto found = under_way_.find(offset);
  if (found == under_way_.end()) return;
  auto& a = found->second;
  if (const auto* e = std::get_if<error>(&result)) {
    const bool waiting = worth_waiting_for(e->code);
    if (waiting || a.attempts < limits_.attempts) {
      delayed_send(this, backoff(limits_.retry, a.attempts, random_), resume_atom::value, offset);
      return;
    }
    set_aside(offset, a.what.id, a.event, std::string(name_of(e->code)) + ": " + e->detail,
              a.attempts);
  } else {
    note_step(offset, a.event);
  }
  under_way_.erase(found);
  all_taken();
}

/// Logs a step of a traced order, so the order can be followed through the logs of all nodes.
void policy::note_step(log_offset offset, std::string_view event) const {
  if (const auto trace = trace_of(event))
    spdlog::info("event=step consumer={} offset={} eventType={} trace={}", definition_.who.name,
                 offset, event_type_of(event), trace->trace_id());
}

void policy::set_aside(log_offset offset, entity_id target, std::string_view event,
                       std::string_view why, int attempts) {
  dead_letters_.set_aside({std::string(definition_.who.name),
                           std::string(name_of(definition_.who.follows)),
                           offset,
                           target,
                           attempts,
                           std::string(why),
                           {},
                           std::string(event)});
}

/// Commits once every command of the turn is answered.
void policy::all_taken() {
  if (!under_way_.empty()) return;
  faults_.pass("policy.before-position");
  commit turn;
  add_turn_rows(turn.rows);
  submit(std::move(turn));
}

void policy::commit_errand(std::vector<row_write> rows) { submit({.rows = std::move(rows)}); }

std::string policy::turn_not_stored(errc why) {
  spdlog::warn("event=position_not_stored consumer={} reason={}", definition_.who.name,
               name_of(why));
  return "its position could not be stored";
}

void policy::replay() {
  const auto& letter = letter_of_errand();
  std::optional<addressed_command> what;
  try {
    what = definition_.react(parse_stored_json(letter.event));
  } catch (const decode_error& problem) {
    return fail_errand_again(problem.what());
  }
  if (!what) return commit_errand(dead_letter_box::settled(letter));
  if (letter.entity == 0 && dead_letters_.parks(what->id))
    return finish_errand(error{
        errc::not_allowed, "Another event of its entity was set aside: settle that one first."});
  skanu::command_context r;
  r.answer = reply_to(address(), replay_answered{});
  r.trace = trace_of(letter.event);
  definition_.send(*what, std::move(r));
}

void policy::on_replayed(const outcome& result) {
  const auto& letter = letter_of_errand();
  const auto* e = std::get_if<error>(&result);
  if (e == nullptr) {
    note_step(letter.offset, letter.event);
    return commit_errand(dead_letter_box::settled(letter));
  }
  if (worth_waiting_for(e->code)) return finish_errand(*e);
  fail_errand_again(std::string(name_of(e->code)) + ": " + e->detail);
}

}  // namespace skanu
