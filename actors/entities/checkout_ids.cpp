// The ids that checkout hands out: reserved in blocks before, given back on leaving, and compared
// with the ids that other nodes know.
#include <spdlog/spdlog.h>

#include "actors/entities/actor_reply.hpp"
#include "actors/entities/checkout.hpp"
#include "persistence/log/log_lineage.hpp"

namespace skanu {

/// An id that another node knows, and that was not given up to now, was given by data that is newer
/// than this: to go on would give it twice.
void checkout::take_note(const known_ids& ids) {
  const auto known = ids.what.last_id;
  if (known < ids_.next() || limits_.restored) {
    if (known >= ids_.next()) pass_over(ids.by, known);
    if (ids.by == limits_.payment_node && !std::exchange(payment_ids_known_, true))
      decide_left_undecided(ids.what);
    return;
  }
  env_.metrics.unreserved_ids_seen = known;
  if (std::exchange(data_too_old_, true)) return;
  spdlog::error(
      "event=data_too_old peer={} known={} given={} advice=\"restore the order service's data, or "
      "start it with --restored: see Restore in the README\"",
      ids.by, known, ids_.next() - 1);
}

void checkout::pass_over(const std::string& peer, entity_id known) {
  const auto last = last_skipped_id(known, env_.wall_clock());
  spdlog::warn("event=ids_skipped peer={} known={} next_id={}", peer, known, last + 1);
  if (skipping_.second == 0) skipping_.first = ids_.next();
  skipping_.second = last;
  ids_.skip(last);
  reserve_ids();
}

void checkout::reject_left_undecided() {
  for (const auto id : std::exchange(left_undecided_, {})) {
    const auto& o =
        under_way_.try_emplace(id, order_attempt::left_undecided(limits_)).first->second;
    send_rejection(id, o);
  }
}

/// Where payment has worked off events of orders that are not in this log, what looks undecided
/// here was sold: a rejection would give the money back and throw the coffee away.
void checkout::decide_left_undecided(const order_knowledge& payment) {
  if (left_undecided_.empty() || !was_lost(payment)) return reject_left_undecided();
  spdlog::error(
      "event=orders_lost undecided={} advice=\"they are neither orders nor rejected: see "
      "Restore in the README\"",
      left_undecided_.size());
  for (const auto id : std::exchange(left_undecided_, {})) ids_.settle(id);
}

bool checkout::was_lost(const order_knowledge& known) const {
  try {
    const auto now = env_.data.read();
    if (known.offset > now->log_end(service::order)) return true;
    const auto timelines = stored_lineage(*now, service::order);
    const auto own = timeline_at(timelines, known.offset);
    return !own.empty() && !known.timeline.empty() && own != known.timeline;
  } catch (const std::exception&) {
    return true;  // nothing is thrown away on a doubt
  }
}

/// Reserves a block of ids, or, on leaving, gives back what was not handed out.
void checkout::reserve_ids() {
  if (reserving_ || (leaving_ && !under_way_.empty())) return;
  reserving_ = true;
  const auto last = leaving_ ? ids_.next() - 1 : ids_.reserve();
  pending_commit c{.data = {.of = service::order}, .owner = std::make_shared<lone_commit_owner>()};
  if (const auto skipped = std::exchange(skipping_, {}); skipped.second > 0)
    c.data.rows = skip_rows(*env_.data.read(), skipped.first, skipped.second);
  c.data.rows.push_back({row_space::meta, std::string(reserved_ids_key), std::to_string(last)});
  c.data.rows.push_back(
      {row_space::meta, std::string(decided_ids_key), std::to_string(ids_.floor())});
  c.answer = reply_to(address(), reservation_answered{last, leaving_});
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void checkout::on_reserved(const reservation_answered& a) {
  reserving_ = false;
  const auto* failure = std::get_if<error>(&a.result);
  if (a.leaving && !failure) {
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
