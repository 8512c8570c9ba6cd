#include "actors/rules/order_attempt.hpp"

#include <algorithm>

namespace skanu {

namespace {

error refused() {
  return {errc::payment_unavailable, "Payment refused. Please come back a little later."};
}

error timed_out() {
  return {errc::payment_unavailable,
          "Payment did not answer in time. Please come back a little later."};
}

}  // namespace

error id_in_use() {
  return {errc::undecodable, "The id that it was given is in use: what is stored is damaged."};
}

bool worth_another_attempt(errc payment_answer) {
  // Waiting for a service after a long absence would only delay the refusal.
  return is_transient(payment_answer) && payment_answer != errc::service_away;
}

bool is_of_a_store(errc payment_answer) {
  return payment_answer == errc::store_full || payment_answer == errc::store_failed ||
         payment_answer == errc::damaged;
}

order_attempt order_attempt::left_undecided(const order_attempt_limits& limits) {
  order_attempt a({}, limits);
  a.reject({});
  return a;
}

int order_attempt::ask(time_point now) {
  stage_ = stage::asking;
  // A last attempt may be shorter than the others.
  due_ = std::min(now + limits_.attempt, deadline_);
  return ++attempts_;
}

attempt_decision order_attempt::on_payment(int number, const outcome& result, time_point now,
                                           milliseconds pause) {
  if (!waits_for_payment()) return {};
  const bool current = stage_ == stage::asking && number == attempts_;
  if (const auto* done = std::get_if<accepted>(&result)) {
    const bool first = number == 1 && attempts_ == 1;
    return opened(current, done->what == effect::unchanged && first && limits_.asked_once);
  }
  if (!current) return {};
  const auto& why = std::get<error>(result);
  if (!worth_another_attempt(why.code)) return {reject(why), call_outcome::failure};
  return {try_again(is_of_a_store(why.code) ? why : refused(), now, pause), call_outcome::failure};
}

/// Any attempt opened the payment, perhaps not the current attempt.
attempt_decision order_attempt::opened(bool current, bool in_use) {
  attempt_decision d;
  if (current) d.call = call_outcome::success;
  d.call_dropped = !current && stage_ == stage::asking;
  if (in_use) {
    d.next = reject(id_in_use());
  } else {
    stage_ = stage::registering;
    due_.reset();
    d.next = checkout_step::register_order;
  }
  return d;
}

attempt_decision order_attempt::on_due(time_point now, milliseconds pause) {
  due_.reset();
  switch (stage_) {
    case stage::asking: return {try_again(timed_out(), now, pause), call_outcome::timeout};
    case stage::pausing: return {now < deadline_ ? checkout_step::ask_payment : reject(refusal_)};
    case stage::rejecting: return {reject(refusal_)};
    case stage::registering: break;
  }
  return {};
}

attempt_decision order_attempt::refuse(error why) { return {reject(std::move(why))}; }

attempt_decision order_attempt::on_registration(const outcome& result) {
  if (std::holds_alternative<accepted>(result)) return {checkout_step::decided};
  return {reject(std::get<error>(result))};
}

attempt_decision order_attempt::on_rejection(const outcome& result, time_point now,
                                             milliseconds pause) {
  const auto* failure = std::get_if<error>(&result);
  const bool is_an_order = failure && failure->code == errc::not_allowed;
  if (!failure || is_an_order) return {checkout_step::decided};
  due_ = now + pause;
  return {checkout_step::wait};
}

/// The current attempt came to nothing: pauses, or gives up.
checkout_step order_attempt::try_again(error why, time_point now, milliseconds pause) {
  const bool time_left = now + pause + limits_.shortest_attempt < deadline_;
  if (!time_left || attempts_ >= limits_.attempts) return reject(std::move(why));
  stage_ = stage::pausing;
  refusal_ = std::move(why);
  due_ = now + pause;
  return checkout_step::wait;
}

checkout_step order_attempt::reject(error why) {
  stage_ = stage::rejecting;
  refusal_ = std::move(why);
  due_.reset();
  ++rejections_;
  return checkout_step::reject_order;
}

}  // namespace skanu
