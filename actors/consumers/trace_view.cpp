#include "actors/consumers/trace_view.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/consumers/log_forks.hpp"
#include "actors/entities/actor_reply.hpp"
#include "actors/rules/trace_rules.hpp"
#include "actors/supervision/failures.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

trace_view::trace_view(caf::actor_config& config, const service_environment& env,
                       std::vector<source> sources, consumer_limits limits)
    : consumer_interface::base(config),
      env_(env),
      limits_(limits),
      dead_letters_(env, service::ordertrace, limits.retry) {
  for (auto& s : sources) logs_.push_back({.from = std::move(s)});
}

trace_view::behavior_type trace_view::make_behavior() {
  contain_failures(*this);
  recover();
  for (auto& f : logs_) send(f.from.log, follow_atom::value, caf::actor_cast<follower_actor>(this));
  turn_after(std::chrono::milliseconds{0});
  return {[this](hint_atom, service of) {
            for (auto& f : logs_) {
              if (f.from.of != of) continue;
              f.more = true;
              f.retry_at = {};  // it speaks again
            }
            if (busy_) return;
            turn_after(limits_.window);
          },
          [this](dead_letter_command& o, skanu::command_context& r) {
            dead_letters_.add({.order = std::move(o), .asked = std::move(r)});
            if (!busy_) rest();
          },
          [this](const rows_stored& s) { on_commit(s.result); },
          [this](resume_atom) {
            if (!turn_planned_ || clock().now() < turn_at_) return;  // an earlier plan's
            turn_planned_ = false;
            if (!busy_) return turn();
            turn_due_ = errand_.has_value();
          },
          [this](letter_atom, entity_id entity) {
            dead_letters_.add(dead_letter_box::next_of(entity));
            if (!busy_) rest();
          }};
}

void trace_view::recover() {
  const auto now = env_.data.read();
  for (auto& f : logs_) {
    f.at = f.then = stored_position(*now, service::ordertrace, trace_consumer(f.from.of));
    dead_letters_.recover(*now, trace_consumer(f.from.of));
  }
}

void trace_view::turn_after(std::chrono::milliseconds wait) {
  const auto at = clock().now() + wait;
  if (turn_planned_ && turn_at_ <= at) return;
  turn_planned_ = true;
  turn_at_ = at;
  delayed_send(this, wait, resume_atom::value);
}

void trace_view::turn() {
  for (auto& f : logs_) {
    if ((!f.more && !f.full) || f.retry_at > clock().now()) continue;
    f.more = false;
    ++pulls_open_;
    request(f.from.log, limits_.pull_timeout, pull_atom::value, f.at.query(limits_.batch, {}))
        .then(
            [this, &f](const event_batch& batch) {
              f.failures = 0;
              take(f, batch);
              pulled();
            },
            [this, &f](const caf::error&) {
              f.more = true;
              f.retry_at = clock().now() + backoff(limits_.retry, ++f.failures, random_);
              pulled();
            });
  }
  busy_ = pulls_open_ > 0;
  if (!busy_) rest();
}

void trace_view::take(followed& f, const event_batch& batch) {
  f.full = batch.more || batch.forked;
  f.then = batch.forked ? f.at.behind_common(batch) : f.at.behind(batch);
  if (batch.forked)
    f.fork =
        note_fork(trace_consumer(f.from.of), f.from.of, f.at, f.then, batch, env_.wall_clock());
  for (const auto& e : batch.events) take(f, e);
}

void trace_view::take(const followed& f, const event_batch::event& e) {
  const auto id = order_of(e.body);
  const auto set_aside = [&](int attempts, std::string_view why) {
    dead_letters_.set_aside({std::string(trace_consumer(f.from.of)),
                             std::string(name_of(f.from.of)),
                             e.offset,
                             id,
                             attempts,
                             std::string(why),
                             {},
                             e.body});
  };
  if (e.body.empty()) return set_aside(1, damaged_event);
  if (dead_letters_.parks(id)) return set_aside(0, dead_letter_box::parked_reason);
  try {
    take(f.from.of, e.offset, id, e.body);
  } catch (const decode_error& problem) {
    set_aside(1, problem.what());
  } catch (const damaged_value& problem) {
    set_aside(1, problem.what());
  }
}

/// Throws decode_error or damaged_value, and then nothing was taken.
void trace_view::take(service of, log_offset offset, entity_id id, const std::string& event) {
  if (id == 0) throw decode_error("an event without an id");
  auto& t = trace_of(id);
  const auto before = shown_step(t.trace);
  apply_event(t.trace, id, event);
  ++t.version;
  if (auto change = change_of(t.trace, before, t.version, event))
    changes_.push_back(std::move(*change));
  auto key = history_prefix(id);
  append_ordered_key(key, t.version);
  rows_.push_back({row_space::rows, std::move(key), located_event(of, offset, event)});
  if (const auto traced = skanu::trace_of(event))
    spdlog::info("event=step consumer={} offset={} eventType={} trace={}", trace_consumer(of),
                 offset, event_type_of(event), traced->trace_id());
}

trace_view::touched& trace_view::trace_of(entity_id id) {
  if (const auto found = touched_.find(id); found != touched_.end()) return found->second;
  touched t;  // kept once its document could be read: a damaged one is not begun anew
  if (const auto document = env_.data.read()->entity(service::ordertrace, id)) {
    t.trace = decode_document<order_trace>(*document);
    t.stored = t.version = parts_of(*document).version;
    t.status_before = static_cast<std::uint8_t>(t.trace.status);
    t.listed_before = listed(t.trace);
  }
  return touched_.emplace(id, std::move(t)).first->second;
}

void trace_view::pulled() {
  if (--pulls_open_ > 0) return;
  const bool moved =
      std::any_of(logs_.begin(), logs_.end(), [](const followed& f) { return f.moved(); });
  if (moved) return commit_turn();
  rest();
}

/// A log that fails is tried again after its own backoff, and holds up no other.
void trace_view::plan_next_turn() {
  std::optional<std::chrono::milliseconds> wait;
  const auto now = clock().now();
  for (const auto& f : logs_) {
    if (!f.more && !f.full) continue;
    auto own = f.full ? std::chrono::milliseconds(0) : limits_.window;
    if (f.retry_at > now) own = std::chrono::ceil<std::chrono::milliseconds>(f.retry_at - now);
    wait = std::min(wait.value_or(own), own);
  }
  if (wait) turn_after(*wait);
}

void trace_view::commit_turn() {
  pending_commit c{.data = {.of = service::ordertrace},
                   .owner = std::make_shared<lone_commit_owner>()};
  c.data.changes.reserve(touched_.size());
  for (const auto& [id, t] : touched_) {
    if (t.version == t.stored) continue;
    entity_change change;
    change.id = id;
    change.expected = t.stored;
    change.next = t.version;
    change.document = std::make_shared<const std::string>(
        encode_document(service::ordertrace, t.version, t.trace));
    change.status_before = t.status_before;
    change.status = static_cast<std::uint8_t>(t.trace.status);
    change.listed_before = t.listed_before;
    change.listed = listed(t.trace);
    c.data.changes.push_back(std::move(change));
  }
  c.data.events = std::move(changes_);
  c.data.rows = std::move(rows_);
  for (auto& letter : dead_letters_.take_rows()) c.data.rows.push_back(std::move(letter));
  for (auto& f : logs_) {
    if (f.moved()) move_position(c.data.rows, trace_consumer(f.from.of), f.at, f.then);
    if (const auto fork = std::exchange(f.fork, {})) c.data.rows.push_back(fork_row(*fork));
  }
  touched_.clear();
  changes_.clear();
  rows_.clear();
  c.answer = reply_to(address(), rows_stored{});
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void trace_view::on_commit(const outcome& result) {
  if (errand_) return finish_errand(result);
  if (const auto* e = std::get_if<error>(&result)) {
    spdlog::warn("event=view_not_stored reason={}", name_of(e->code));
    quit(caf::make_error(caf::sec::runtime_error, "its turn could not be stored"));
    return;
  }
  for (auto& f : logs_)
    if (f.moved()) f.at = f.then;  // what was not stored is not known
  rest();
}

/// Nothing is under way. Turns and errands alternate.
void trace_view::rest() {
  busy_ = false;
  if (std::exchange(turn_due_, false)) return turn();
  plan_next_turn();
  if (auto e = dead_letters_.next_errand()) carry_out(std::move(*e));
}

void trace_view::carry_out(letter_errand e) {
  busy_ = true;
  errand_ = std::move(e);
  const auto& letter = errand_->letter;
  std::vector<row_write> rows;
  if (errand_->order.discard) {
    rows = dead_letters_.discarded(letter);
  } else if (letter.event.empty()) {
    return read_again();
  } else {
    try {
      const auto of = service_named(letter.follows);
      if (!of) throw decode_error("a dead letter of no service");
      const auto id = letter.entity != 0 ? letter.entity : order_of(letter.event);
      take(*of, letter.offset, id, letter.event);
      rows = dead_letter_box::settled(letter);
    } catch (const decode_error& problem) {
      rows = dead_letters_.failed_again(*errand_, problem.what());
    } catch (const damaged_value& problem) {
      rows = dead_letters_.failed_again(*errand_, problem.what());
    }
  }
  commit_errand(std::move(rows));
}

/// An event that was damaged when it was set aside: its log may have been restored since.
void trace_view::read_again() {
  const auto& letter = errand_->letter;
  const auto log = std::find_if(logs_.begin(), logs_.end(), [&](const followed& f) {
    return name_of(f.from.of) == letter.follows;
  });
  if (log == logs_.end()) return commit_errand(dead_letters_.failed_again(*errand_, damaged_event));
  request(log->from.log, limits_.pull_timeout, pull_atom::value, log_query{letter.offset, 1, {}})
      .then(
          [this](const event_batch& batch) {
            if (batch.events.empty() || batch.events.front().body.empty())
              return commit_errand(dead_letters_.failed_again(*errand_, damaged_event));
            errand_->letter.event = batch.events.front().body;
            carry_out(std::move(*errand_));
          },
          [this](const caf::error&) {
            finish_errand(error{errc::service_away, "The log cannot be read at present."});
          });
}

void trace_view::commit_errand(std::vector<row_write> rows) {
  for (auto& row : rows) rows_.push_back(std::move(row));
  commit_turn();
}

void trace_view::finish_errand(const outcome& result) {
  if (const auto wait = dead_letters_.finish(*errand_, result))
    delayed_send(this, *wait, letter_atom::value, errand_->letter.entity);
  errand_.reset();
  rest();
}

}  // namespace skanu
