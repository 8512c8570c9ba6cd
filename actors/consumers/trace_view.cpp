#include "actors/consumers/trace_view.hpp"

#include <spdlog/spdlog.h>

#include "actors/consumers/log_forks.hpp"
#include "actors/entities/actor_reply.hpp"
#include "actors/rules/trace_rules.hpp"
#include "actors/supervision/failures.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

namespace {

std::vector<log_reader::source> consumers_of(const std::vector<trace_view::source>& sources) {
  std::vector<log_reader::source> consumers;
  consumers.reserve(sources.size());
  for (const auto& s : sources) consumers.push_back({.who = trace_consumer(s.of)});
  return consumers;
}

}  // namespace

trace_view::trace_view(caf::actor_config& config, const service_environment& env,
                       std::vector<source> sources, consumer_limits limits)
    : consumer_interface::base(config),
      env_(env),
      limits_(limits),
      reader_(consumers_of(sources), limits),
      dead_letters_(env, service::ordertrace, limits.retry) {
  for (auto& s : sources) logs_.push_back(std::move(s.log));
}

trace_view::behavior_type trace_view::make_behavior() {
  contain_failures(*this);
  recover();
  for (const auto& log : logs_)
    send(log, follow_atom::value, caf::actor_cast<follower_actor>(this));
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
          }};
}

void trace_view::recover() {
  const auto now = env_.data.read();
  reader_.recover(*now);
  for (std::size_t log = 0; log < reader_.size(); ++log)
    dead_letters_.recover(*now, reader_.consumer_of(log).name);
}

void trace_view::plan() {
  const auto now = clock().now();
  if (const auto next = reader_.plan(now)) delayed_send(this, *next - now, resume_atom::value);
}

void trace_view::turn() {
  for (auto& [log, query] : reader_.begin_turn(clock().now())) {
    request(logs_[log], limits_.pull_timeout, pull_atom::value, std::move(query))
        .then(
            [this, log = log](const event_batch& batch) {
              take(log, batch);
              pulled();
            },
            [this, log = log](const caf::error&) {
              reader_.fail(log, clock().now(), random_);
              pulled();
            });
  }
  if (reader_.resting()) rest();
}

void trace_view::take(std::size_t log, const event_batch& batch) {
  if (const auto fork = reader_.take(log, batch, env_.wall_clock())) note_fork(*fork);
  for (const auto& e : batch.events) take(reader_.consumer_of(log), e);
}

void trace_view::take(const consumer& who, const event_batch::event& e) {
  const auto id = order_of(e.body);
  const auto set_aside = [&](int attempts, std::string_view why) {
    dead_letters_.set_aside({std::string(who.name),
                             std::string(name_of(who.follows)),
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
    take(who, e.offset, id, e.body);
  } catch (const decode_error& problem) {
    set_aside(1, problem.what());
  } catch (const damaged_value& problem) {
    set_aside(1, problem.what());
  }
}

/// Throws decode_error or damaged_value, and then nothing was taken.
void trace_view::take(const consumer& who, log_offset offset, entity_id id,
                      const std::string& event) {
  if (id == 0) throw decode_error("an event without an id");
  auto& t = trace_of(id);
  const auto before = shown_step(t.trace);
  apply_event(t.trace, id, event);
  ++t.version;
  if (auto change = change_of(t.trace, before, t.version, event))
    changes_.push_back(std::move(*change));
  auto key = history_prefix(id);
  append_ordered_key(key, t.version);
  rows_.push_back({row_space::rows, std::move(key), located_event(who.follows, offset, event)});
  if (const auto traced = skanu::trace_of(event))
    spdlog::info("event=step consumer={} offset={} eventType={} trace={}", who.name, offset,
                 event_type_of(event), traced->trace_id());
}

trace_view::touched& trace_view::trace_of(entity_id id) {
  if (const auto found = touched_.find(id); found != touched_.end()) return found->second;
  touched t;  // kept once its document could be read: a damaged one is not begun anew
  if (const auto document = env_.data.read()->entity_for_change(service::ordertrace, id)) {
    t.trace = decode_document<order_trace>(*document);
    t.stored = t.version = parts_of(*document).version;
    t.status_before = static_cast<std::uint8_t>(t.trace.status);
    t.listed_before = listed(t.trace);
  }
  return touched_.emplace(id, std::move(t)).first->second;
}

void trace_view::pulled() {
  if (reader_.pulling()) return;
  if (reader_.moved()) return commit_turn();
  rest();
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
  for (auto& row : reader_.rows()) c.data.rows.push_back(std::move(row));
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
  reader_.stored();
  rest();
}

/// Nothing is under way. Turns and errands alternate.
void trace_view::rest() {
  reader_.rest();
  if (reader_.is_due(clock().now())) return turn();
  plan();
  if (auto e = dead_letters_.next_errand()) carry_out(std::move(*e));
}

void trace_view::carry_out(letter_errand e) {
  reader_.hold();
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
      take(trace_consumer(*of), letter.offset, id, letter.event);
      rows = dead_letter_box::settled(letter);
    } catch (const decode_error& problem) {
      rows = dead_letters_.failed_again(*errand_, problem.what());
    } catch (const damaged_value& problem) {
      rows = dead_letters_.failed_again(*errand_, problem.what());
    }
  }
  commit_errand(std::move(rows));
}

void trace_view::read_again() {
  const auto& letter = errand_->letter;
  const auto followed = service_named(letter.follows);
  const auto log = followed ? reader_.number_of(*followed) : std::nullopt;
  if (!log) return commit_errand(dead_letters_.failed_again(*errand_, damaged_event));
  read_event_again(
      *this, logs_[*log], letter.offset, limits_,
      [this](const std::string& event) {
        if (event.empty())
          return commit_errand(dead_letters_.failed_again(*errand_, damaged_event));
        errand_->letter.event = event;
        carry_out(std::move(*errand_));
      },
      [this](const error& away) { finish_errand(away); });
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
