#include "actors/entities/checkout.hpp"

#include <spdlog/spdlog.h>

#include "actors/entities/actor_reply.hpp"
#include "actors/supervision/failures.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/operation_record.hpp"

namespace skanu {

namespace {

error too_old() {
  return {
      errc::data_too_old,
      "The order service's data is older than what other services have seen. Orders are refused "
      "until an operator has restored it."};
}

error payment_away() {
  return {errc::service_away, "The payment service is away. Nothing was changed."};
}

bool is_of_a_store(errc code) {
  return code == errc::store_full || code == errc::store_failed || code == errc::damaged;
}

error too_many() { return {errc::overloaded, "Too many orders wait for payment."}; }

/// An id that was never handed out before cannot be in use.
error id_in_use() {
  return {errc::undecodable, "The id that it was given is in use: what is stored is damaged."};
}

/// Tells checkout that the order was decided, and then the client, whose repeat must not come
/// first.
reply both(reply checkout, reply client) {
  return reply_through(
      [checkout = std::move(checkout), client = std::move(client)](outcome result) {
        if (const auto* done = std::get_if<accepted>(&result))
          if (done->what == effect::unchanged) result = id_in_use();
        // Of a success checkout needs to know no more than that it was one.
        outcome told = accepted{};
        if (const auto* e = std::get_if<error>(&result)) told = *e;
        checkout(std::move(told));
        client(std::move(result));
      });
}

}  // namespace

checkout::checkout(caf::actor_config& config, const service_environment& env,
                   order_region_actor orders, payment_region_actor payments, fault_plan& faults,
                   breaker_display& display, id_recovery ids, checkout_limits limits)
    : checkout_interface::base(config),
      env_(env),
      orders_(std::move(orders)),
      payments_(std::move(payments)),
      faults_(faults),
      display_(display),
      limits_(limits),
      breaker_(limits.breaker),
      left_undecided_(std::move(ids.undecided)),
      ids_(ids.next, left_undecided_),
      payment_ids_known_(limits_.payment_node.empty()) {}

checkout::behavior_type checkout::make_behavior() {
  contain_failures(*this);
  began_ = now();
  if (payment_ids_known_) reject_left_undecided();
  reserve_ids();
  return {[this](place_order& order, skanu::command_context& r) {
            place({std::move(order), std::move(r), now()});
          },
          [this](const known_ids& k) {
            take_note(k);
            let_parked_in();
          },
          [this](leave_atom) -> caf::typed_response_promise<bool> {
            leaving_ = true;
            left_ = make_response_promise<bool>();
            auto promise = left_;
            reserve_ids();
            return promise;
          },
          [this](const payment_answered& a) {
            on_payment(a);
            let_parked_in();
          },
          [this](const order_registered& a) {
            on_registered(a);
            let_parked_in();
          },
          [this](const order_rejection_stored& a) {
            on_rejected(a);
            let_parked_in();
          },
          [this](const ids_reserved& a) {
            on_reserved(a);
            let_parked_in();
          },
          [this](sweep_atom) {
            sweep();
            let_parked_in();
          }};
}

void checkout::place(newcomer n) {
  auto& r = n.client;
  if (leaving_) return r.answer(error{errc::shutting_down, "This node is leaving."});
  if (r.operation && r.maybe_repeated) {
    if (auto known = known_outcome(r)) return r.answer(std::move(*known));
  }
  if (data_too_old_) return r.answer(too_old());
  if (never_saw_payment()) return r.answer(payment_away());
  if (must_wait()) return park(std::move(n));
  if (!ids_.available()) {
    waiting_for_ids_.push_back(std::move(n));
    return reserve_ids();
  }
  const auto permit = acquire();
  if (!permit) return r.answer(kept_from_payment());
  const auto id = ids_.issue();
  if (ids_.wants_more()) reserve_ids();
  faults_.pass("placement.id-issued");
  auto& p = placings_[*id];
  p.order = std::move(n.order);
  p.client = std::move(n.client);
  if (p.client.operation) running_operations_.insert(p.operation_key = p.client.operation->key());
  p.deadline = n.since + limits_.deadline;
  p.permit = *permit;
  ++waiting_for_payment_;
  ask_payment(*id, p);
}

/// Many who come at once find the bulkhead full before payment had a chance: they wait a moment.
void checkout::park(newcomer n) {
  if (parked_.size() >= limits_.parked) return n.client.answer(too_many());
  parked_.push_back(std::move(n));
  start_sweeping();
}

/// In the order in which they came, as far as there is room; refuses those who waited too long.
void checkout::let_parked_in() {
  while (!parked_.empty()) {
    const auto patience = payment_ids_known_ ? limits_.patience : limits_.deadline;
    const bool late = parked_.front().since + patience <= now();
    if (must_wait() && !late && !data_too_old_) return;
    auto n = std::move(parked_.front());
    parked_.pop_front();
    if (!must_wait() || data_too_old_) {
      place(std::move(n));
    } else {
      n.client.answer(payment_ids_known_ ? too_many() : payment_away());
    }
  }
}

std::optional<outcome> checkout::known_outcome(const skanu::command_context& r) const {
  // The store first: the client may repeat before checkout has heard of its own success. What goes
  // wrong with one record must not end the only actor that places orders.
  std::optional<outcome> known;
  try {
    known = recorded_outcome(*env_.data.read(), service::order, *r.operation, r.fingerprint);
  } catch (const store_error& e) {
    return error{e.code(), std::string(unreadable(e.code()))};
  } catch (const std::exception&) {
    return error{errc::undecodable, "What was recorded of it cannot be read."};
  }
  if (!known && running_operations_.contains(r.operation->key()))
    return error{errc::operation_running, "It is still being carried out."};
  return known;
}

/// One attempt, for which p.permit was acquired.
void checkout::ask_payment(entity_id id, placing& p) {
  p.at = stage::asking;
  ++p.attempt;
  skanu::command_context r;
  r.answer = reply_to(address(), payment_answered{id, p.attempt});
  r.answer_when_queued = limits_.shared_journal;
  r.trace = p.client.trace;
  send(payments_, id, payment_command(open_payment{p.order.details, p.order.phone_number}),
       std::move(r));
  attempts_.push_back({now() + limits_.attempt, id, p.attempt});
  start_sweeping();
}

void checkout::on_payment(const payment_answered& a) {
  const auto& [id, attempt, result] = a;
  const auto found = placings_.find(id);
  if (found == placings_.end()) return;
  auto& p = found->second;
  if (p.at != stage::asking && p.at != stage::pausing) return;
  const bool current = p.at == stage::asking && attempt == p.attempt;
  if (const auto* opened = std::get_if<accepted>(&result)) {
    // The payment is open, whichever attempt opened it.
    store_failure_.reset();
    if (current) record(p.permit, call_outcome::success);
    if (!current && p.at == stage::asking) breaker_.release(p.permit);
    // Between nodes even a first attempt may have been sent twice.
    const bool asked_once = limits_.shared_journal && attempt == 1 && p.attempt == 1;
    if (opened->what == effect::unchanged && asked_once) {
      spdlog::error("event=id_in_use id={}{}", id,
                    p.client.trace ? " trace=" + std::string(p.client.trace->trace_id()) : "");
      return reject(id, p, id_in_use());
    }
    return register_now(id, p, opened->queued_by);
  }
  if (!current) return;
  const auto& why = std::get<error>(result);
  record(p.permit, call_outcome::failure);
  // One that has been away for long is not waited for any longer.
  if (!is_transient(why.code) || why.code == errc::service_away) return reject(id, p, why);
  store_failure_ = is_of_a_store(why.code) ? std::optional(why) : std::nullopt;
  attempt_failed(
      id, p,
      store_failure_.value_or(
          error{errc::payment_unavailable, "Payment refused. Please come back a little later."}));
}

/// Why the breaker lets no call through: where payment's store failed, payment itself did not.
error checkout::kept_from_payment() const {
  return store_failure_.value_or(
      error{errc::payment_unavailable,
            "Payment does not answer at present. Please come back a little later."});
}

/// The current attempt came to nothing: pause and try again, or give up.
void checkout::attempt_failed(entity_id id, placing& p, const error& why) {
  const auto pause = backoff(limits_.retry, p.attempt, random_);
  const bool time_left = now() + pause + limits_.shortest_attempt < p.deadline;
  if (!time_left || p.attempt >= 100) return reject(id, p, why);
  p.at = stage::pausing;
  pauses_.emplace(now() + pause, id);
  start_sweeping();
}

void checkout::register_now(entity_id id, placing& p, std::shared_ptr<commit_owner> payment) {
  faults_.pass("placement.payment-open");
  p.at = stage::registering;
  --waiting_for_payment_;
  skanu::command_context r = p.client;
  r.answer = both(reply_to(address(), order_registered{id}), std::move(p.client.answer));
  r.maybe_repeated = false;  // checkout looked already
  if (limits_.shared_journal) r.requires_entity = entity_name{service::payment, id};
  r.builds_on = std::move(payment);
  send(orders_, id, order_command(register_order{p.order.details}), std::move(r));
}

void checkout::reject(entity_id id, placing& p, error why) {
  p.at = stage::rejecting;
  --waiting_for_payment_;
  p.refusal = std::move(why);
  faults_.pass("placement.before-rejection");
  send_rejection(id, p);
}

void checkout::send_rejection(entity_id id, placing& p) {
  ++p.rejections;
  skanu::command_context r;
  r.answer = reply_to(address(), order_rejection_stored{id});
  r.trace = p.client.trace;
  send(orders_, id, order_command(reject_order{}), std::move(r));
}

void checkout::on_registered(const order_registered& a) {
  const auto found = placings_.find(a.id);
  if (found == placings_.end()) return;
  const auto* failure = std::get_if<error>(&a.result);
  if (!failure) return finish(found);
  // The client has its answer. The id is undecided, and must not stay so.
  auto& p = found->second;
  if (failure->code != errc::outcome_unknown) end_operation(p);
  p.at = stage::rejecting;
  send_rejection(a.id, p);
}

void checkout::on_rejected(const order_rejection_stored& a) {
  const auto found = placings_.find(a.id);
  if (found == placings_.end()) return;
  auto& p = found->second;
  const auto* failure = std::get_if<error>(&a.result);
  const bool is_an_order = failure && failure->code == errc::not_allowed;
  if (!failure || is_an_order) {
    p.client.answer(p.refusal);
    return finish(found);
  }
  if (p.client.answer) {
    // It never came to a registration, and nobody else registers this id: the refusal is certain.
    end_operation(p);
    p.client.answer(p.refusal);
    p.client.answer = {};
  }
  pauses_.emplace(now() + backoff(limits_.decide_again, p.rejections, random_), a.id);
  start_sweeping();
}

void checkout::finish(placings::iterator p) {
  ids_.settle(p->first);
  end_operation(p->second);
  placings_.erase(p);
  if (leaving_ && placings_.empty()) reserve_ids();
}

/// From here on the operation may be tried again, under another id.
void checkout::end_operation(placing& p) {
  running_operations_.erase(p.operation_key);
  p.operation_key.clear();
}

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
    auto& p = placings_[id];
    p.at = stage::rejecting;
    send_rejection(id, p);
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
  if (reserving_ || (leaving_ && !placings_.empty())) return;
  reserving_ = true;
  const auto last = leaving_ ? ids_.next() - 1 : ids_.reserve();
  pending_commit c{.data = {.of = service::order}, .owner = std::make_shared<lone_commit_owner>()};
  if (const auto skipped = std::exchange(skipping_, {}); skipped.second > 0)
    c.data.rows = skip_rows(*env_.data.read(), skipped.first, skipped.second);
  c.data.rows.push_back({row_space::meta, std::string(reserved_ids_key), std::to_string(last)});
  c.data.rows.push_back(
      {row_space::meta, std::string(decided_ids_key), std::to_string(ids_.floor())});
  c.answer = reply_to(address(), ids_reserved{last, leaving_});
  c.result = accepted{};
  env_.commits.submit(std::move(c));
}

void checkout::on_reserved(const ids_reserved& a) {
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

void checkout::sweep() {
  sweeping_ = false;
  const auto t = now();
  while (!attempts_.empty() && attempts_.front().due <= t) {
    const auto over = attempts_.front();
    attempts_.pop_front();
    const auto found = placings_.find(over.id);
    if (found == placings_.end()) continue;
    auto& p = found->second;
    if (p.at != stage::asking || p.attempt != over.attempt) continue;
    record(p.permit, call_outcome::timeout);
    store_failure_.reset();
    attempt_failed(over.id, p,
                   {errc::payment_unavailable,
                    "Payment did not answer in time. Please come back a little later."});
  }
  while (!pauses_.empty() && pauses_.begin()->first <= t) {
    const auto id = pauses_.begin()->second;
    pauses_.erase(pauses_.begin());
    const auto found = placings_.find(id);
    if (found == placings_.end()) continue;
    auto& p = found->second;
    if (p.at == stage::rejecting) {
      send_rejection(id, p);
    } else if (p.at == stage::pausing) {
      const auto permit = acquire();
      if (permit) {
        p.permit = *permit;
        ask_payment(id, p);
      } else {
        reject(id, p, kept_from_payment());
      }
    }
  }
  // A last attempt may be shorter than the others: the deadline comes first.
  for (auto i = placings_.begin(); i != placings_.end();) {
    auto& [id, p] = *i++;
    const bool waits = p.at == stage::asking || p.at == stage::pausing;
    if (!waits || p.deadline > t) continue;
    if (p.at == stage::asking) record(p.permit, call_outcome::timeout);
    const bool asking = p.at == stage::asking;
    reject(id, p,
           !asking && store_failure_
               ? *store_failure_
               : error{errc::payment_unavailable,
                       "Payment did not answer in time. Please come back a little later."});
  }
  if (!placings_.empty() || !parked_.empty()) start_sweeping();
}

void checkout::start_sweeping() {
  if (std::exchange(sweeping_, true)) return;
  delayed_send(this, limits_.sweep, sweep_atom::value);
}

std::optional<circuit_breaker::permit> checkout::acquire() {
  const auto before = breaker_.state();
  const auto permit = breaker_.try_acquire(now());
  show_breaker(before);
  return permit;
}

void checkout::record(const circuit_breaker::permit& permit, call_outcome how) {
  const auto before = breaker_.state();
  breaker_.record(permit, how == call_outcome::success, now());
  display_.count(how);
  show_breaker(before);
}

void checkout::show_breaker(breaker_state before) {
  const auto figures = breaker_.show();
  display_.set(figures);
  if (before != figures.state)
    spdlog::warn("event=breaker_changed breaker=payment from={} to={} failure_rate={:.0f}",
                 name_of(before), name_of(figures.state), figures.failure_rate);
}

}  // namespace skanu
