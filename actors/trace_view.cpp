#include "actors/trace_view.hpp"

#include <spdlog/spdlog.h>

#include "actors/actor_reply.hpp"
#include "actors/failures.hpp"
#include "actors/rules/trace_rules.hpp"
#include "persistence/document.hpp"
#include "persistence/event.hpp"
#include "persistence/stored_number.hpp"

namespace skanu {

trace_view::trace_view(caf::actor_config& config, const service_environment& env,
                       std::vector<source> sources, consumer_limits limits)
    : consumer_actor::base(config), env_(env), limits_(limits), dead_letters_(env) {
  for (auto& s : sources) logs_.push_back({.from = std::move(s)});
}

trace_view::behavior_type trace_view::make_behavior() {
  contain_failures(*this);
  recover();
  for (auto& f : logs_)
    send(f.from.log, follow_atom::value, caf::actor_cast<follower_actor>(this));
  turn_after(std::chrono::milliseconds{0});
  return {[this](hint_atom, service of) {
            for (auto& f : logs_) {
              if (f.from.of != of) continue;
              f.more = true;
              // A log that speaks again is not left waiting for the end of a backoff.
              if (std::exchange(f.failing, false) && !busy_) turn_planned_ = false;
            }
            if (!busy_) turn_after(limits_.window);
          },
          [this](const answered& a) { on_commit(a.result); },
          [this](resume_atom) {
            turn_planned_ = false;
            if (!busy_) turn();
          },
          [](resume_atom, log_offset) {}};
}

void trace_view::recover() {
  const auto now = env_.data.read();
  for (auto& f : logs_) {
    const auto position = position_key(trace_consumer(f.from.of));
    f.next = f.batch_end = meta_number(*now, service::ordertrace, position) + 1;
    dead_letters_.recover(*now, service::ordertrace, trace_consumer(f.from.of));
  }
}

void trace_view::turn_after(std::chrono::milliseconds wait) {
  if (std::exchange(turn_planned_, true)) return;
  delayed_send(this, wait, resume_atom::value);
}

void trace_view::turn() {
  pull_failed_ = false;
  for (auto& f : logs_) {
    if (!std::exchange(f.more, false) && !f.full) continue;
    ++pulls_open_;
    request(f.from.log, limits_.pull_timeout, pull_atom::value, log_query{f.next, limits_.batch, {}})
        .then(
            [this, &f](const event_batch& batch) {
              take(f, batch);
              pulled();
            },
            [this, &f](const caf::error&) {
              f.more = f.failing = pull_failed_ = true;
              pulled();
            });
  }
  busy_ = pulls_open_ > 0;
}

void trace_view::take(followed& f, const event_batch& batch) {
  f.batch_end = batch.next;
  f.full = batch.more;
  for (const auto& e : batch.events) take(f, e);
}

void trace_view::take(const followed& f, const event_batch::event& e) {
  const auto id = order_of(e.body);
  const auto consumer = trace_consumer(f.from.of);
  if (dead_letters_.parks(id))
    return dead_letters_.set_aside(
        {consumer, f.from.of, e.offset, id, 0, dead_letter_box::parked_reason, e.body});
  try {
    if (id == 0) throw decode_error("an event without an id");
    auto& t = trace_of(id);
    apply_event(t.trace, id, e.body);
    ++t.version;
    auto key = history_prefix(id);
    append_ordered_key(key, t.version);
    rows_.push_back({row_space::rows, std::move(key), located_event(f.from.of, e.offset, e.body)});
  } catch (const decode_error& problem) {
    dead_letters_.set_aside({consumer, f.from.of, e.offset, id, 1, problem.what(), e.body});
  }
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
  const bool moved = std::any_of(logs_.begin(), logs_.end(),
                                 [](const followed& f) { return f.batch_end != f.next; });
  if (moved) return commit_turn();
  busy_ = false;
  if (pull_failed_) turn_after(backoff(limits_.retry, ++failures_, random_));
  const bool more = std::any_of(logs_.begin(), logs_.end(), [](const followed& f) { return f.more; });
  if (more) turn_after(limits_.window);
}

void trace_view::commit_turn() {
  failures_ = 0;
  pending_commit c{.data = {.of = service::ordertrace}, .owner = std::make_shared<lone_commit_owner>()};
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
  c.data.rows = std::move(rows_);
  for (auto& letter : dead_letters_.take_rows()) c.data.rows.push_back(std::move(letter));
  for (const auto& f : logs_)
    if (f.batch_end != f.next)
      c.data.rows.push_back({row_space::meta, position_key(trace_consumer(f.from.of)),
                             std::to_string(f.batch_end - 1)});
  touched_.clear();
  rows_.clear();
  c.answer = reply_to(address(), 0);
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void trace_view::on_commit(const outcome& result) {
  if (const auto* e = std::get_if<error>(&result)) {
    spdlog::warn("event=view_not_stored reason={}", name_of(e->code));
    quit(caf::make_error(caf::sec::runtime_error, "its turn could not be stored"));
    return;
  }
  busy_ = false;
  bool full = false, more = false;
  for (auto& f : logs_) {
    f.next = f.batch_end;
    full = full || f.full;
    more = more || f.more;
  }
  if (full) {
    turn_after(std::chrono::milliseconds{0});
  } else if (more) {
    turn_after(limits_.window);
  }
}

}  // namespace skanu
