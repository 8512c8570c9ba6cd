// The ids that checkout hands out: reserved in blocks before, given back on leaving, and compared
// with the ids that other nodes know.
#include <spdlog/spdlog.h>

#include "actors/entities/actor_reply.hpp"
#include "actors/entities/checkout.hpp"

namespace skanu {

/// An id that another node knows, and that was not given up to now, was given by data that is newer
/// than this: to go on would give it twice. Likewise the ids of events that another node has read
/// and this log lacks, even where this run has passed those ids meanwhile.
void checkout::take_note(const known_ids& ids) {
  unheard_.erase(ids.by);
  const auto known = ids.what.last_id;
  const auto match = compare(ids.what);
  orders_lost_ |= match != log_match::same;
  if (known >= ids_.next() && limits_.restored) pass_over(ids.by, known);
  if (!limits_.restored && (known >= ids_.next() || match == log_match::lost))
    return refuse_orders(ids);
  if (ids.by == limits_.payment_node) payment_ids_known_ = true;
}

/// Refuses orders from now on, and after a restart too: by then the other node may have gone on
/// from the events that both logs have.
void checkout::refuse_orders(const known_ids& ids) {
  if (std::exchange(data_too_old_, true)) return;
  const auto known = std::max<entity_id>(ids.what.last_id, 1);
  env_.metrics.unreserved_ids_seen = known;
  say_too_old(ids.by.empty() ? "a reader of the log" : ids.by, ids.what);
  pending_commit c{.data = {.of = service::order}, .owner = std::make_shared<lone_commit_owner>()};
  c.data.rows.push_back({row_space::meta, std::string(too_old_key), std::to_string(known)});
  env_.commits.submit(std::move(c));
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

/// Rejects what a crash left undecided, once the other nodes have said what they know. Where one of
/// them has worked off events of orders that are not in this log, what looks undecided here was
/// sold: a rejection would give the money back and throw the coffee away.
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

/// Nothing on a doubt, where the store cannot be read.
std::optional<log_match> checkout::compare(const order_knowledge& known) const {
  try {
    return compare_log(*env_.data.read(), known);
  } catch (const std::exception&) {
    return std::nullopt;
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
