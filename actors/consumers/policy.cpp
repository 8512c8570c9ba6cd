#include "actors/consumers/policy.hpp"

#include <spdlog/spdlog.h>

#include "actors/consumers/log_forks.hpp"
#include "actors/entities/actor_reply.hpp"
#include "actors/supervision/failures.hpp"
#include "messages/event.hpp"

namespace skanu {

namespace {

/// Failures that say nothing about the event itself.
bool worth_waiting_for(errc code) { return is_transient(code) && code != errc::entity_failed; }

}  // namespace

policy::policy(caf::actor_config& config, const service_environment& env,
               policy_definition definition, event_log_actor log, fault_plan& faults,
               consumer_limits limits)
    : policy_interface::base(config),
      env_(env),
      definition_(std::move(definition)),
      log_(std::move(log)),
      faults_(faults),
      limits_(limits),
      reader_({{.who = definition_.who, .types = definition_.types}}, limits),
      dead_letters_(env, definition_.who.of, limits.retry) {}

policy::behavior_type policy::make_behavior() {
  contain_failures(*this);
  recover();
  policy_interface::base::send(log_, follow_atom::value, caf::actor_cast<follower_actor>(this));
  plan();
  return {[this](hint_atom, service of) {
            reader_.hint(of);
            plan();
          },
          [this](dead_letter_command& o, skanu::command_context& r) {
            dead_letters_.add({.order = std::move(o), .asked = std::move(r)});
            if (reader_.resting()) rest();
          },
          [this](const rows_stored& s) { on_commit(s.result); },
          [this](resume_atom) {
            if (reader_.is_due(clock().now())) turn();
          },
          [this](letter_atom, entity_id entity) {
            dead_letters_.add(dead_letter_box::next_of(entity));
            if (reader_.resting()) rest();
          },
          [this](const command_answered& a) { on_answer(a); },
          [this](const replay_answered& a) { on_replayed(a.result); },
          [this](resume_atom, log_offset offset) {
            const auto found = under_way_.find(offset);
            if (found != under_way_.end()) send_command(offset, found->second);
          }};
}

void policy::recover() {
  const auto now = env_.data.read();
  reader_.recover(*now);
  dead_letters_.recover(*now, definition_.who.name);
}

void policy::plan() {
  const auto now = clock().now();
  if (const auto next = reader_.plan(now)) delayed_send(this, *next - now, resume_atom::value);
}

void policy::turn() {
  for (auto& pull : reader_.begin_turn(clock().now()))
    request(log_, limits_.pull_timeout, pull_atom::value, std::move(pull.query))
        .then([this](const event_batch& batch) { work_off(batch); },
              [this](const caf::error&) {
                reader_.fail(0, clock().now(), random_);
                rest();
              });
  if (reader_.resting()) rest();
}

void policy::work_off(const event_batch& batch) {
  if (reader_.position(0).next == 1 && !batch.events.empty())
    note_older_events(*env_.data.read(), definition_.who, batch.events.front());
  if (const auto fork = reader_.take(0, batch, env_.wall_clock())) note_fork(*fork);
  for (const auto& e : batch.events) take(e);
  if (!reader_.moved()) {
    rest();
  } else if (under_way_.empty()) {
    commit_turn();
  }
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
  if (under_way_.empty()) commit_turn();
}

/// So that a traced order can be followed through the logs of all nodes.
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

void policy::commit_turn() {
  faults_.pass("policy.before-position");
  auto rows = dead_letters_.take_rows();
  for (auto& row : reader_.rows()) rows.push_back(std::move(row));
  commit_rows(std::move(rows));
}

/// The answer is rows_stored.
void policy::commit_rows(std::vector<row_write> rows) {
  pending_commit c{.data = {.of = definition_.who.of},
                   .owner = std::make_shared<lone_commit_owner>()};
  c.data.rows = std::move(rows);
  c.answer = reply_to(address(), rows_stored{});
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void policy::on_commit(const outcome& result) {
  if (errand_) return finish_errand(result);
  if (const auto* e = std::get_if<error>(&result)) {
    spdlog::warn("event=position_not_stored consumer={} reason={}", definition_.who.name,
                 name_of(e->code));
    quit(caf::make_error(caf::sec::runtime_error, "its position could not be stored"));
    return;
  }
  reader_.stored();
  rest();
}

/// Nothing is under way. Turns and errands alternate.
void policy::rest() {
  reader_.rest();
  if (reader_.is_due(clock().now())) return turn();
  plan();
  if (auto e = dead_letters_.next_errand()) carry_out(std::move(*e));
}

void policy::carry_out(letter_errand e) {
  reader_.hold();
  errand_ = std::move(e);
  if (errand_->order.discard) return commit_rows(dead_letters_.discarded(errand_->letter));
  replay();
}

void policy::replay() {
  const auto& letter = errand_->letter;
  if (letter.event.empty()) return read_again();
  std::optional<addressed_command> what;
  try {
    what = definition_.react(parse_stored_json(letter.event));
  } catch (const decode_error& problem) {
    return commit_rows(dead_letters_.failed_again(*errand_, problem.what()));
  }
  if (!what) return commit_rows(dead_letter_box::settled(letter));
  if (letter.entity == 0 && dead_letters_.parks(what->id))
    return finish_errand(error{
        errc::not_allowed, "Another event of its entity was set aside: settle that one first."});
  skanu::command_context r;
  r.answer = reply_to(address(), replay_answered{});
  r.trace = trace_of(letter.event);
  definition_.send(*what, std::move(r));
}

void policy::read_again() {
  read_event_again(
      *this, log_, errand_->letter.offset, limits_,
      [this](const std::string& event) {
        if (event.empty()) return commit_rows(dead_letters_.failed_again(*errand_, damaged_event));
        errand_->letter.event = event;
        replay();
      },
      [this](const error& away) { finish_errand(away); });
}

void policy::on_replayed(const outcome& result) {
  const auto* e = std::get_if<error>(&result);
  if (e == nullptr) {
    note_step(errand_->letter.offset, errand_->letter.event);
    return commit_rows(dead_letter_box::settled(errand_->letter));
  }
  if (worth_waiting_for(e->code)) return finish_errand(*e);
  commit_rows(
      dead_letters_.failed_again(*errand_, std::string(name_of(e->code)) + ": " + e->detail));
}

void policy::finish_errand(const outcome& result) {
  if (const auto wait = dead_letters_.finish(*errand_, result))
    delayed_send(this, *wait, letter_atom::value, errand_->letter.entity);
  errand_.reset();
  rest();
}

}  // namespace skanu
