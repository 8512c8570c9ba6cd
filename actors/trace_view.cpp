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
              f.retry_at = {};  // it speaks again
            }
            if (busy_) return;
            turn_after(limits_.window);
          },
          [this](const answered& a) { on_commit(a.result); },
          [this](resume_atom) {
            if (!turn_planned_ || clock().now() < turn_at_) return;  // an earlier plan's
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
    request(f.from.log, limits_.pull_timeout, pull_atom::value, log_query{f.next, limits_.batch, {}})
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
  if (!busy_) plan_next_turn();
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
    const auto before = shown_step(t.trace);
    apply_event(t.trace, id, e.body);
    ++t.version;
    if (auto change = change_of(t.trace, before, t.version, e.body))
      changes_.push_back(std::move(*change));
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
  plan_next_turn();
}

/// A log that fails is tried again after its own backoff, and holds up no other.
void trace_view::plan_next_turn() {
  std::optional<std::chrono::milliseconds> wait;
  const auto now = clock().now();
  for (const auto& f : logs_) {
    if (!f.more && !f.full) continue;
    auto own = f.full ? std::chrono::milliseconds(0) : limits_.window;
    if (f.retry_at > now)
      own = std::chrono::ceil<std::chrono::milliseconds>(f.retry_at - now);
    wait = std::min(wait.value_or(own), own);
  }
  if (wait) turn_after(*wait);
}

void trace_view::commit_turn() {
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
  c.data.events = std::move(changes_);
  c.data.rows = std::move(rows_);
  for (auto& letter : dead_letters_.take_rows()) c.data.rows.push_back(std::move(letter));
  for (const auto& f : logs_)
    if (f.batch_end != f.next)
      c.data.rows.push_back({row_space::meta, position_key(trace_consumer(f.from.of)),
                             std::to_string(f.batch_end - 1)});
  touched_.clear();
  changes_.clear();
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
  for (auto& f : logs_) f.next = f.batch_end;
  plan_next_turn();
}

}  // namespace skanu
