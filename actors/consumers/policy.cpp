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
      dead_letters_(env, definition_.who.of, limits.retry) {}

policy::behavior_type policy::make_behavior() {
  contain_failures(*this);
  recover();
  policy_interface::base::send(log_, follow_atom::value, caf::actor_cast<follower_actor>(this));
  pull_after(std::chrono::milliseconds{0});
  return {[this](hint_atom, service) {
            more_ = true;
            // A log that speaks again is not left waiting for the end of a backoff.
            if (!busy_) pull_after(limits_.window);
          },
          [this](dead_letter_command& o, skanu::command_context& r) {
            dead_letters_.add({.order = std::move(o), .asked = std::move(r)});
            if (!busy_) rest();
          },
          [this](const rows_stored& s) { on_commit(s.result); },
          [this](resume_atom) {
            if (!pull_planned_ || clock().now() < pull_at_) return;  // an earlier plan's
            pull_planned_ = false;
            if (!busy_) return pull();
            pull_due_ = errand_.has_value();
          },
          [this](letter_atom, entity_id entity) {
            dead_letters_.add(dead_letter_box::next_of(entity));
            if (!busy_) rest();
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
  at_ = stored_position(*now, definition_.who.of, definition_.who.name);
  dead_letters_.recover(*now, definition_.who.name);
}

void policy::pull_after(std::chrono::milliseconds wait) {
  const auto at = clock().now() + wait;
  if (pull_planned_ && pull_at_ <= at) return;
  pull_planned_ = true;
  pull_at_ = at;
  delayed_send(this, wait, resume_atom::value);
}

void policy::pull() {
  busy_ = true;
  more_ = false;
  request(log_, limits_.pull_timeout, pull_atom::value, at_.query(limits_.batch, definition_.types))
      .then(
          [this](const event_batch& batch) {
            failed_pulls_ = 0;
            work_off(batch);
          },
          [this](const caf::error&) {
            pull_after(backoff(limits_.retry, ++failed_pulls_, random_));
            rest();
          });
}

void policy::work_off(const event_batch& batch) {
  if (batch.forked) return go_back(batch);
  then_ = at_.behind(batch);
  full_ = batch.more;
  for (const auto& e : batch.events) take(e);
  if (then_.next == at_.next) {
    rest();
  } else if (under_way_.empty()) {
    commit_position();
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
  if (under_way_.empty()) commit_position();
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

/// The log is another one than was read so far: goes on behind what both have. Natural keys let
/// events that are read again act once.
void policy::go_back(const event_batch& batch) {
  then_ = at_.behind_common(batch);
  full_ = true;
  const auto fork = note_fork(definition_.who.name, definition_.who.follows, at_, then_, batch,
                              env_.wall_clock());
  commit_position({fork_row(fork)});
}

void policy::commit_position(std::vector<row_write> rows) {
  faults_.pass("policy.before-position");
  pending_commit c{.data = {.of = definition_.who.of},
                   .owner = std::make_shared<lone_commit_owner>()};
  c.data.rows = dead_letters_.take_rows();
  for (auto& row : rows) c.data.rows.push_back(std::move(row));
  move_position(c.data.rows, definition_.who.name, at_, then_);
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
  at_ = then_;
  rest();
}

/// Nothing is under way. Batches and errands take turns.
void policy::rest() {
  busy_ = false;
  if (std::exchange(pull_due_, false)) return pull();
  if (full_) {
    pull_after(std::chrono::milliseconds{0});
  } else if (more_) {
    pull_after(limits_.window);
  }
  if (auto e = dead_letters_.next_errand()) carry_out(std::move(*e));
}

void policy::carry_out(letter_errand e) {
  busy_ = true;
  errand_ = std::move(e);
  if (errand_->order.discard) return store_errand(dead_letters_.discarded(errand_->letter));
  replay();
}

void policy::replay() {
  const auto& letter = errand_->letter;
  if (letter.event.empty()) return read_again();
  std::optional<addressed_command> what;
  try {
    what = definition_.react(parse_stored_json(letter.event));
  } catch (const decode_error& problem) {
    return store_errand(dead_letters_.failed_again(*errand_, problem.what()));
  }
  if (!what) return store_errand(dead_letter_box::settled(letter));
  if (letter.entity == 0 && dead_letters_.parks(what->id))
    return finish_errand(error{
        errc::not_allowed, "Another event of its entity was set aside: settle that one first."});
  skanu::command_context r;
  r.answer = reply_to(address(), replay_answered{});
  r.trace = trace_of(letter.event);
  definition_.send(*what, std::move(r));
}

/// An event that was damaged when it was set aside: its log may have been restored since.
void policy::read_again() {
  request(log_, limits_.pull_timeout, pull_atom::value, log_query{errand_->letter.offset, 1, {}})
      .then(
          [this](const event_batch& batch) {
            if (batch.events.empty() || batch.events.front().body.empty())
              return store_errand(dead_letters_.failed_again(*errand_, damaged_event));
            errand_->letter.event = batch.events.front().body;
            replay();
          },
          [this](const caf::error&) {
            finish_errand(error{errc::service_away, "The log cannot be read at present."});
          });
}

void policy::on_replayed(const outcome& result) {
  const auto* e = std::get_if<error>(&result);
  if (e == nullptr) {
    note_step(errand_->letter.offset, errand_->letter.event);
    return store_errand(dead_letter_box::settled(errand_->letter));
  }
  if (worth_waiting_for(e->code)) return finish_errand(*e);
  store_errand(
      dead_letters_.failed_again(*errand_, std::string(name_of(e->code)) + ": " + e->detail));
}

void policy::store_errand(std::vector<row_write> rows) {
  pending_commit c{.data = {.of = definition_.who.of},
                   .owner = std::make_shared<lone_commit_owner>()};
  c.data.rows = std::move(rows);
  c.answer = reply_to(address(), rows_stored{});
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void policy::finish_errand(const outcome& result) {
  if (const auto wait = dead_letters_.finish(*errand_, result))
    delayed_send(this, *wait, letter_atom::value, errand_->letter.entity);
  errand_.reset();
  rest();
}

}  // namespace skanu
