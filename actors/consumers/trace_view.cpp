#include "actors/consumers/trace_view.hpp"

#include <spdlog/spdlog.h>

#include "actors/rules/trace_rules.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

trace_view::trace_view(caf::actor_config& config, const service_environment& env,
                       const std::vector<source>& sources, consumer_limits limits)
    : consumer_actor_base(config, env, service::ordertrace, followed(sources), limits) {}

std::vector<trace_view::followed_log> trace_view::followed(const std::vector<source>& sources) {
  std::vector<followed_log> logs;
  logs.reserve(sources.size());
  for (const auto& s : sources) logs.push_back({{.who = trace_consumer(s.of)}, s.log});
  return logs;
}

trace_view::behavior_type trace_view::make_behavior() { return begin(); }

void trace_view::take(std::size_t log, const event_batch& batch) {
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

/// Takes an event, or throws decode_error or damaged_value and takes no part of the event.
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
  touched t;  // kept only after a successful read: a damaged trace must not begin anew
  if (const auto document = env_.data.read()->entity_for_change(service::ordertrace, id)) {
    t.trace = decode_document<order_trace>(*document);
    t.stored = t.version = parts_of(*document).version;
    t.status_before = static_cast<std::uint8_t>(t.trace.status);
    t.listed_before = listed(t.trace);
  }
  return touched_.emplace(id, std::move(t)).first->second;
}

void trace_view::all_taken() {
  commit turn;
  turn.changes.reserve(touched_.size());
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
    turn.changes.push_back(std::move(change));
  }
  turn.events = std::exchange(changes_, {});
  turn.rows = std::exchange(rows_, {});
  add_turn_rows(turn.rows);
  touched_.clear();
  submit(std::move(turn));
}

void trace_view::commit_errand(std::vector<row_write> rows) {
  for (auto& row : rows) rows_.push_back(std::move(row));
  all_taken();
}

std::string trace_view::turn_not_stored(errc why) {
  spdlog::warn("event=view_not_stored reason={}", name_of(why));
  return "its turn could not be stored";
}

void trace_view::replay() {
  const auto& letter = letter_of_errand();
  try {
    const auto of = service_named(letter.follows);
    if (!of) throw decode_error("a dead letter of no service");
    const auto id = letter.entity != 0 ? letter.entity : order_of(letter.event);
    take(trace_consumer(*of), letter.offset, id, letter.event);
  } catch (const decode_error& problem) {
    return fail_errand_again(problem.what());
  } catch (const damaged_value& problem) {
    return fail_errand_again(problem.what());
  }
  commit_errand(dead_letter_box::settled(letter));
}

}  // namespace skanu
