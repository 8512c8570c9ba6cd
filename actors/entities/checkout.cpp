#include "actors/entities/checkout.hpp"

#include <spdlog/spdlog.h>

#include "actors/entities/actor_reply.hpp"
#include "actors/supervision/failures.hpp"
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

error too_many() { return {errc::overloaded, "Too many orders wait for payment."}; }

/// Answers checkout, then the client: no repeat by the client may overtake checkout's answer.
reply both(reply checkout, reply client) {
  return reply_through(
      [checkout = std::move(checkout), client = std::move(client)](outcome result) {
        if (const auto* done = std::get_if<accepted>(&result))
          if (done->what == effect::unchanged) result = id_in_use();
        // The checkout needs no details of a success.
        outcome told = accepted{};
        if (const auto* e = std::get_if<error>(&result)) told = *e;
        checkout(std::move(told));
        client(std::move(result));
      });
}

/// Sets the limits derived from other limits: between nodes even a first attempt may be sent twice.
checkout_limits completed(checkout_limits limits) {
  limits.asked_once = limits.shared_journal;
  return limits;
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
      limits_(completed(std::move(limits))),
      breaker_(limits_.breaker),
      left_undecided_(std::move(ids.undecided)),
      ids_(ids.next, left_undecided_),
      payment_ids_known_(limits_.payment_node.empty()),
      unheard_(limits_.followers.begin(), limits_.followers.end()),
      data_too_old_(ids.too_old > 0) {
  env_.metrics.unreserved_ids_seen = ids.too_old;
}

checkout::behavior_type checkout::make_behavior() {
  contain_failures(*this);
  began_ = now();
  if (data_too_old_) say_too_old("an earlier start", {.last_id = env_.metrics.unreserved_ids_seen});
  decide_left_undecided();
  if (hears_followers()) start_sweeping();
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
          [this](const registration_answered& a) {
            on_registered(a);
            let_parked_in();
          },
          [this](const rejection_answered& a) {
            on_rejected(a);
            let_parked_in();
          },
          [this](const id_commit_answered& a) {
            on_id_commit(a);
            let_parked_in();
          },
          [this](sweep_atom) {
            sweep();
            let_parked_in();
          }};
}

void checkout::place(waiting_order n) {
  auto& r = n.client;
  if (leaving_) return r.answer(error{errc::shutting_down, "This node is leaving."});
  if (r.operation && r.maybe_repeated) {
    if (auto known = known_outcome(r)) return r.answer(std::move(*known));
  }
  if (data_too_old_) return r.answer(too_old());
  if (never_saw_payment()) return r.answer(kept_waiting());
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
  auto& o =
      under_way_.try_emplace(*id, order_attempt(n.since + limits_.deadline, limits_)).first->second;
  o.order = std::move(n.order);
  o.client = std::move(n.client);
  if (o.client.operation) running_operations_.insert(o.operation_key = o.client.operation->key());
  o.permit = *permit;
  ++waiting_for_payment_;
  ask_payment(*id, o);
}

/// Parks an order for a moment: a burst fills the bulkhead before payment can answer.
void checkout::park(waiting_order n) {
  if (parked_.size() >= limits_.parked) return n.client.answer(too_many());
  parked_.push_back(std::move(n));
  start_sweeping();
}

/// Lets parked orders in, the oldest first, as far as there is room; refuses overdue orders.
void checkout::let_parked_in() {
  decide_left_undecided();
  while (!parked_.empty()) {
    const auto longest = heard_all() ? limits_.parked_for : limits_.deadline;
    const bool late = parked_.front().since + longest <= now();
    if (must_wait() && !late && !data_too_old_) return;
    auto n = std::move(parked_.front());
    parked_.pop_front();
    if (!must_wait() || data_too_old_) {
      place(std::move(n));
    } else {
      n.client.answer(kept_waiting());
    }
  }
}

/// Returns the refusal of an order after a vain wait for an id.
error checkout::kept_waiting() const {
  if (!uncompared_.empty())
    return {errc::store_failed, std::string(unreadable(errc::store_failed))};
  return payment_ids_known_ ? too_many() : payment_away();
}

std::optional<outcome> checkout::known_outcome(const skanu::command_context& r) const {
  // The store comes first: a client may repeat before checkout hears of the order's success. A
  // faulty record must not end the only actor for placing orders.
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

/// Carries out the decision of `next` for an order under way; ignores other ids.
template <class Decide>
void checkout::decide(entity_id id, Decide next) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  auto& o = found->second;
  const bool waited = o.attempt.waits_for_payment();
  const attempt_decision d = next(o);
  follow(id, o, waited, d);
}

/// `waited`: the order waited for payment before the decision.
void checkout::follow(entity_id id, order_under_way& o, bool waited, const attempt_decision& d) {
  if (waited && !o.attempt.waits_for_payment()) --waiting_for_payment_;
  if (d.call) record(o.permit, *d.call);
  if (d.call_dropped) breaker_.release(o.permit);
  switch (d.next) {
    case checkout_step::none: return;
    case checkout_step::ask_payment:
      if (const auto permit = acquire()) {
        o.permit = *permit;
        return ask_payment(id, o);
      }
      return follow(id, o, waited, o.attempt.refuse(kept_from_payment()));
    case checkout_step::wait: return look_again(id, o);
    case checkout_step::register_order: return register_order(id, o);
    case checkout_step::reject_order:
      if (waited) faults_.pass("placement.before-rejection");
      return send_rejection(id, o);
    case checkout_step::decided: return finish(id, o);
  }
}

/// One attempt, for which o.permit was acquired.
void checkout::ask_payment(entity_id id, order_under_way& o) {
  skanu::command_context r;
  r.answer = reply_to(address(), payment_answered{id, o.attempt.ask(now())});
  r.answer_when_queued = limits_.shared_journal;
  r.trace = o.client.trace;
  send(payments_, id, payment_command(open_payment{o.order.details, o.order.phone_number}),
       std::move(r));
  look_again(id, o);
}

void checkout::on_payment(const payment_answered& a) {
  decide(a.id, [&](order_under_way& o) {
    const auto* opened = std::get_if<accepted>(&a.result);
    if (opened) o.builds_on = opened->queued_by;
    const auto pause = opened ? std::chrono::milliseconds{0}
                              : backoff(limits_.retry, o.attempt.attempts(), random_);
    const auto d = o.attempt.on_payment(a.attempt, a.result, now(), pause);
    if (d.next == checkout_step::none) return d;
    const auto* why = std::get_if<error>(&a.result);
    if (!why || worth_another_attempt(why->code))
      store_failure_ = why && is_of_a_store(why->code) ? std::optional(*why) : std::nullopt;
    if (opened && d.next == checkout_step::reject_order)
      spdlog::error("event=id_in_use id={}{}", a.id,
                    o.client.trace ? " trace=" + std::string(o.client.trace->trace_id()) : "");
    return d;
  });
}

/// Returns the error for a call stopped by the breaker. A failure of payment's store is told as
/// such, because payment itself did not fail.
error checkout::kept_from_payment() const {
  return store_failure_.value_or(
      error{errc::payment_unavailable,
            "Payment does not answer at present. Please come back a little later."});
}

void checkout::register_order(entity_id id, order_under_way& o) {
  faults_.pass("placement.payment-open");
  skanu::command_context r = o.client;
  r.answer = both(reply_to(address(), registration_answered{id}), std::move(o.client.answer));
  r.maybe_repeated = false;  // checkout looked already
  if (limits_.shared_journal) r.requires_entity = entity_name{service::payment, id};
  r.builds_on = std::move(o.builds_on);
  send(orders_, id, order_command(skanu::register_order{o.order.details}), std::move(r));
}

void checkout::send_rejection(entity_id id, const order_under_way& o) {
  skanu::command_context r;
  r.answer = reply_to(address(), rejection_answered{id});
  r.trace = o.client.trace;
  send(orders_, id, order_command(reject_order{}), std::move(r));
}

void checkout::on_registered(const registration_answered& a) {
  decide(a.id, [&](order_under_way& o) {
    // The client has the answer; an id without an order is rejected next. After an unknown outcome
    // the operation runs until then.
    if (const auto* why = std::get_if<error>(&a.result))
      if (why->code != errc::outcome_unknown) end_operation(o);
    return o.attempt.on_registration(a.result);
  });
}

void checkout::on_rejected(const rejection_answered& a) {
  decide(a.id, [&](order_under_way& o) {
    if (o.client.answer) {
      // No registration was sent, and no other actor registers the id: the refusal is certain.
      end_operation(o);
      o.client.answer(o.attempt.refusal());
      o.client.answer = {};
    }
    const auto pause = std::holds_alternative<accepted>(a.result)
                           ? std::chrono::milliseconds{0}
                           : backoff(limits_.decide_again, o.attempt.rejections(), random_);
    return o.attempt.on_rejection(a.result, now(), pause);
  });
}

void checkout::look_again(entity_id id, const order_under_way& o) {
  timers_.add(*o.attempt.due(), id);
  start_sweeping();
}

void checkout::sweep() {
  sweeping_ = false;
  const auto t = now();
  while (const auto id = timers_.take_due(t))
    decide(*id, [&](order_under_way& o) -> attempt_decision {
      const auto due = o.attempt.due();
      if (!due || *due > t) return {};  // an earlier attempt's timer
      const auto d = o.attempt.on_due(t, backoff(limits_.retry, o.attempt.attempts(), random_));
      if (d.call == call_outcome::timeout) store_failure_.reset();
      return d;
    });
  compare_again();
  if (refusal_due_ && *refusal_due_ <= t) store_refusal();
  const bool repeats = refusal_due_ || !uncompared_.empty();
  if (!timers_.empty() || !parked_.empty() || repeats || hears_followers()) start_sweeping();
}

void checkout::start_sweeping() {
  if (std::exchange(sweeping_, true)) return;
  delayed_send(this, limits_.sweep, sweep_atom::value);
}

void checkout::finish(entity_id id, order_under_way& o) {
  ids_.settle(id);
  end_operation(o);
  under_way_.erase(id);
  if (leaving_ && under_way_.empty()) reserve_ids();
}

/// Lets the client try the operation again, under another id.
void checkout::end_operation(order_under_way& o) {
  running_operations_.erase(o.operation_key);
  o.operation_key.clear();
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
