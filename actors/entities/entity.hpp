// The mechanism shared by all entities; the decisions are the rules (actors/rules).
//
// An entity loads its state for the first command. The entity decides and applies each command at
// once, hands the commit to the journal and goes on: the state is speculative. Answers are not: an
// answer about a version travels with the version's commit, or behind the commit, and the journal
// answers once the commit is durable (earlier only for answer_when_queued). After a failed commit,
// the journal refuses the entity's later commits, the region forgets the entity, and the next
// command loads the entity anew from the store.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "actors/entities/environment.hpp"
#include "actors/rules/decision.hpp"
#include "actors/rules/event_commit.hpp"
#include "actors/supervision/failures.hpp"
#include "messages/event.hpp"
#include "messages/interfaces.hpp"
#include "persistence/document.hpp"
#include "persistence/operation_record.hpp"

namespace skanu {

/// Counts an entity's commands and commits under way. Any thread.
class entity_gauge : public commit_owner {
 public:
  /// `lost` is called once, after a failed commit; must not block. `all_waiting` outlives the
  /// gauge.
  entity_gauge(std::function<void()> lost, counter& all_waiting)
      : lost_(std::move(lost)), all_waiting_(all_waiting) {}
  /// Subtracts the commands left by a crashed entity.
  ~entity_gauge() override { all_waiting_ -= waiting(); }
  void on_failed(errc) noexcept override { lost_(); }

  /// Returns the number of commands sent and not yet worked off.
  std::int64_t waiting() const { return waiting_.load(); }
  void came() {
    ++waiting_;
    ++all_waiting_;
  }
  void worked_off() {
    --waiting_;
    --all_waiting_;
  }

  /// True without a command to decide and without a commit in flight.
  bool quiescent() const { return waiting() == 0 && in_flight() == 0; }

 private:
  std::function<void()> lost_;
  std::atomic<std::int64_t> waiting_ = 0;
  counter& all_waiting_;
};

/// Holds new rows written by an entity and perhaps not stored yet.
class rows_in_flight {
 public:
  explicit rows_in_flight(const commit_owner& owner) : owner_(owner) {}

  /// Notes the rows of the next commit handed over.
  void add(const std::vector<row_write>& rows) {
    forget_durable();
    ++handed_over_;
    for (const auto& written : rows)
      if (written.must_be_new && written.value)
        rows_.push_back({handed_over_, written.key, *written.value});
  }

  const std::string* find(std::string_view key) {
    forget_durable();
    for (const auto& written : rows_)
      if (written.key == key) return &written.value;
    return nullptr;
  }

 private:
  struct row {
    std::int64_t commit;
    std::string key, value;
  };

  /// Commits are answered in order, so the commits no longer in flight are the oldest.
  void forget_durable() {
    const auto durable = handed_over_ - owner_.in_flight();
    while (!rows_.empty() && rows_.front().commit <= durable) rows_.pop_front();
  }

  const commit_owner& owner_;
  std::int64_t handed_over_ = 0;
  std::deque<row> rows_;
};

template <class Rules>
class entity final : public entity_actor<typename Rules::command>::base {
 public:
  using command = typename Rules::command;
  using base = typename entity_actor<command>::base;

  entity(caf::actor_config& config, const service_environment& env, entity_id id,
         std::shared_ptr<entity_gauge> gauge)
      : base(config), env_(env), id_(id), gauge_(std::move(gauge)), in_flight_(*gauge_) {}

  const char* name() const override { return "entity"; }

  typename base::behavior_type make_behavior() override {
    contain_failures(*this);
    return {[this](command& c, command_context& r) {
      try {
        carry_out(c, r);
      } catch (const store_error& e) {
        // No decision was made; the store failed, not the entity.
        if (e.code() == errc::damaged)
          spdlog::error("event=damaged service={} id={} reason=\"{}\"", name_of(Rules::of),
                        entity_in_log(Rules::of, id_), e.what());
        r.answer(error{e.code(), std::string(unreadable(e.code()))});
      }
      gauge_->worked_off();  // after the commit is handed over: until then the entity is busy
    }};
  }

 private:
  using event = typename Rules::event;

  void carry_out(const command& c, command_context& r) {
    ++env_.metrics.commands;
    recover();
    if (r.operation && r.maybe_repeated) {
      if (auto known = known_outcome(r)) return answer(r, std::move(*known), false);
    }
    auto decided = Rules::decide(current_.state, c, id_, context_for(c));
    if (!condition_holds(r) && !(decided.refusal && decided.refusal->code == errc::not_found))
      decided = decision<event>::refuse(errc::version_mismatch, "It has another version by now.");
    if (decided.refusal) {
      ++env_.metrics.refusals;
      if (r.trace)
        spdlog::info("event=refused service={} id={} reason={} trace={}", name_of(Rules::of),
                     entity_in_log(Rules::of, id_), name_of(decided.refusal->code),
                     r.trace->trace_id());
      // An absent entity may be there when the client repeats the command under the same key.
      const bool absent =
          decided.refusal->code == errc::version_mismatch && !Rules::listed(current_.state);
      const bool remembered = decided.refusal->code != errc::not_found && !absent;
      answer(r, std::move(*decided.refusal), remembered);
    } else if (decided.events.empty()) {
      answer(r, outcome{outcome_now(effect::unchanged)}, true);
    } else {
      record(r, decided.events);
    }
  }

  void recover() {
    if (recovered_) return;
    const auto document = env_.data.read()->entity_for_change(Rules::of, id_);
    recovered_ = true;
    if (!document) return;
    current_ = decode_versioned<Rules>(document);
    document_ = std::make_shared<const std::string>(std::move(*document));
  }

  bool condition_holds(const command_context& r) const {
    if (!r.condition) return true;
    return r.condition->holds(Rules::listed(current_.state) ? std::optional(current_.version)
                                                            : std::nullopt);
  }

  std::optional<outcome> known_outcome(const command_context& r) {
    // The order of the looks matters: a row no longer in flight is in the store.
    const auto keys = record_keys(*r.operation);
    const bool in_flight = std::ranges::any_of(
        keys, [this](const std::string& key) { return in_flight_.find(key) != nullptr; });
    auto known = recorded_outcome(*env_.data.read(), Rules::of, *r.operation, r.fingerprint);
    if (!known && in_flight)
      return error{errc::operation_running, "It is still being carried out."};
    return known;
  }

  typename Rules::decision_context context_for(const command& c) {
    if constexpr (requires { &Rules::gather; }) {
      return Rules::gather(id_, c, [this](std::string_view key) -> std::optional<std::string> {
        if (const auto* value = in_flight_.find(key)) return *value;
        return env_.data.read()->row(Rules::of, row_space::rows, key);
      });
    } else {
      return {};
    }
  }

  accepted outcome_now(effect what) const { return {what, id_, current_.version, document_}; }

  /// Applies and commits the decided events; the answer goes with the commit.
  void record(command_context& r, const std::vector<event>& events) {
    const auto version_before = current_.version;
    pending_commit c{.data = {.of = Rules::of}, .owner = gauge_};
    const auto now = env_.wall_clock();
    add_events(c.data, id_, current_, events, now, r.trace);
    document_ = c.data.changes.back().document;
    if (r.trace) {
      for (const auto& body : c.data.events)
        spdlog::info("event=decided service={} id={} eventType={} trace={}", name_of(Rules::of),
                     entity_in_log(Rules::of, id_), event_type_of(body), r.trace->trace_id());
    }
    c.data.requires_entity = r.requires_entity;
    c.builds_on = std::move(r.builds_on);
    auto answered_early = outcome_now(version_before == 0 ? effect::created : effect::changed);
    c.result = answered_early;
    remember(c, r, now);
    const auto early = r.answer_when_queued ? std::exchange(r.answer, {}) : reply{};
    submit(std::move(c), r);
    if (!early) return;
    answered_early.queued_by = gauge_;
    early(std::move(answered_early));
  }

  /// Answers without a change: at once if all earlier commits are durable and no record is kept,
  /// else with a commit. After a failed commit the journal refuses the answer too: no answer shows
  /// the lost state.
  void answer(command_context& r, outcome result, bool remembered) {
    const bool keep = remembered && r.operation && r.operation->from_client;
    if (!keep && gauge_->in_flight() == 0 && !gauge_->failed()) return r.answer(std::move(result));
    pending_commit c{.data = {.of = Rules::of}, .owner = gauge_};
    c.data.changes.push_back({.id = id_, .expected = current_.version, .next = current_.version});
    c.result = std::move(result);
    if (keep) remember(c, r, env_.wall_clock());
    submit(std::move(c), r);
  }

  static void remember(pending_commit& c, const command_context& r, instant now) {
    if (!r.operation) return;
    for (auto& row : operation_rows(*r.operation, r.fingerprint, c.result, now))
      c.data.rows.push_back(std::move(row));
  }

  void submit(pending_commit c, command_context& r) {
    c.answer = std::move(r.answer);
    in_flight_.add(c.data.rows);
    env_.commits.submit(std::move(c));
  }

  const service_environment& env_;
  entity_id id_;
  std::shared_ptr<entity_gauge> gauge_;
  rows_in_flight in_flight_;
  bool recovered_ = false;
  versioned_state<Rules> current_;
  std::shared_ptr<const std::string> document_;
};

}  // namespace skanu
