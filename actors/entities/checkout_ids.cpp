// The ids handed out by checkout: reserved in blocks before, given back on leaving, and compared
// with other nodes' knowledge.
#include <spdlog/spdlog.h>

#include "actors/entities/actor_reply.hpp"
#include "actors/entities/checkout.hpp"

namespace skanu {

/// Compares another node's knowledge with the data here. An id known there and not yet given here
/// comes from newer data: a further order would get the id again. Likewise the ids of events read
/// by the other node and missing in the log here, even if this run has passed the ids meanwhile.
void checkout::take_note(const known_ids& ids) {
  const auto match = compare(ids);
  if (!match) return;
  unheard_.erase(ids.by);
  const auto known = ids.what.last_id;
  orders_lost_ |= *match != log_match::same;
  if (known >= ids_.next() && limits_.restored) pass_over(ids.by, known);
  if (!limits_.restored && (known >= ids_.next() || *match == log_match::lost))
    return refuse_orders(ids);
  if (ids.by == limits_.payment_node) payment_ids_known_ = true;
}

/// Returns nullopt while the store cannot be read: orders then wait for a later comparison.
std::optional<log_match> checkout::compare(const known_ids& ids) {
  std::string why;
  try {
    const auto match = compare_log(*env_.data.read(), ids.what);
    comparisons_failed_ = 0;
    return match;
  } catch (const store_error& e) {
    why = e.what();
  } catch (const decode_error& e) {
    why = e.what();
  }
  const auto pause = backoff(limits_.decide_again, ++comparisons_failed_, random_);
  spdlog::warn("event=ids_not_compared peer=\"{}\" again_in_ms={} reason=\"{}\"", ids.by,
               pause.count(), why);
  uncompared_.insert_or_assign({ids.by, ids.what.timeline}, ids);
  compare_at_ = now() + pause;
  start_sweeping();
  return std::nullopt;
}

void checkout::compare_again() {
  if (uncompared_.empty() || now() < compare_at_) return;
  for (const auto& [of, ids] : std::exchange(uncompared_, {})) take_note(ids);
}

/// Refuses orders from now on, and after a restart too: by then the other node may have gone on
/// from the last event common to both logs.
void checkout::refuse_orders(const known_ids& ids) {
  if (std::exchange(data_too_old_, true)) return;
  env_.metrics.unreserved_ids_seen = std::max<entity_id>(ids.what.last_id, 1);
  say_too_old(ids.by.empty() ? "a reader of the log" : ids.by, ids.what);
  store_refusal();
}

void checkout::store_refusal() {
  refusal_due_.reset();
  const entity_id known = env_.metrics.unreserved_ids_seen;
  commit_ids(id_commit::refusal, known,
             {{row_space::meta, std::string(too_old_key), std::to_string(known)}});
}

void checkout::say_too_old(std::string_view told_by, const order_knowledge& known) const {
  spdlog::error(
      "event=data_too_old peer=\"{}\" known={} given={} known_event={} advice=\"restore the order "
      "service's data, or start it with --restored: see Restore in the README\"",
      told_by, known.last_id, ids_.next() - 1, known.offset);
}

void checkout::pass_over(const std::string& peer, entity_id known) {
  const auto last = last_skipped_id(known, env_.wall_clock());
  spdlog::warn("event=ids_skipped peer={} known={} next_id={}", peer, known, last + 1);
  if (skipping_.second == 0) skipping_.first = ids_.next();
  skipping_.second = last;
  ids_.skip(last);
  reserve_ids();
}

/// Rejects the ids left undecided by a crash, once the other nodes have told their knowledge. Where
/// a node has processed events of orders missing in this log, the undecided ids were sold: a
/// rejection would give the money back and throw the coffee away.
void checkout::decide_left_undecided() {
  if (left_undecided_.empty() || (!knows_ids() && !data_too_old_)) return;
  const auto undecided = std::exchange(left_undecided_, {});
  if (orders_lost_ || data_too_old_) {
    spdlog::error(
        "event=orders_lost undecided={} advice=\"they are neither orders nor rejected: see "
        "Restore in the README\"",
        undecided.size());
    for (const auto id : undecided) ids_.settle(id);
    return;
  }
  for (const auto id : undecided) {
    const auto& o =
        under_way_.try_emplace(id, order_attempt::left_undecided(limits_)).first->second;
    send_rejection(id, o);
  }
}

/// Reserves a block of ids, or, on leaving, gives back the unused ids.
void checkout::reserve_ids() {
  if (reserving_ || (leaving_ && !under_way_.empty())) return;
  reserving_ = true;
  const auto what = leaving_ ? id_commit::return_of : id_commit::reservation;
  const auto last = leaving_ ? ids_.next() - 1 : ids_.reserve();
  const auto fail = [&](errc code, const std::exception& unread) {
    spdlog::warn("event=ids_not_reserved reason=\"{}\"", unread.what());
    on_reserved({what, last, error{code, std::string(unreadable(code))}});
  };
  try {
    commit_ids(what, last, rows_of_reservation(last));
  } catch (const store_error& e) {
    fail(e.code(), e);
  } catch (const decode_error& e) {
    fail(errc::undecodable, e);
  }
}

/// Throws store_error and decode_error.
std::vector<row_write> checkout::rows_of_reservation(entity_id last) const {
  std::vector<row_write> rows;
  if (skipping_.second > 0) rows = skip_rows(*env_.data.read(), skipping_.first, skipping_.second);
  rows.push_back({row_space::meta, std::string(reserved_ids_key), std::to_string(last)});
  rows.push_back({row_space::meta, std::string(decided_ids_key), std::to_string(ids_.floor())});
  return rows;
}

/// The answer is id_commit_answered.
void checkout::commit_ids(id_commit what, entity_id last, std::vector<row_write> rows) {
  pending_commit c{.data = {.of = service::order}, .owner = std::make_shared<lone_commit_owner>()};
  c.data.rows = std::move(rows);
  c.answer = reply_to(address(), id_commit_answered{what, last});
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void checkout::on_id_commit(const id_commit_answered& a) {
  if (a.what != id_commit::refusal) return on_reserved(a);
  const auto* failure = std::get_if<error>(&a.result);
  if (failure == nullptr) return;
  const auto pause = backoff(limits_.decide_again, ++refusals_not_stored_, random_);
  spdlog::warn("event=refusal_not_stored again_in_ms={} reason={}", pause.count(),
               name_of(failure->code));
  refusal_due_ = now() + pause;
  start_sweeping();
}

void checkout::on_reserved(const id_commit_answered& a) {
  reserving_ = false;
  const auto* failure = std::get_if<error>(&a.result);
  if (!failure && a.last >= skipping_.second) skipping_ = {};
  if (a.what == id_commit::return_of && !failure) {
    left_.deliver(true);
    return;
  }
  auto waiting = std::exchange(waiting_for_ids_, {});
  if (failure) {
    ids_.not_reserved();
    for (const auto& n : waiting) n.client.answer(*failure);
    if (leaving_) left_.deliver(false);
    return;
  }
  ids_.reserved(a.last);
  for (auto& n : waiting) place(std::move(n));
  if (leaving_) reserve_ids();
}

}  // namespace skanu
