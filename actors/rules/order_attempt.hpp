// One order on its way: the decision that follows an answer or a timeout. Pure: the caller asks
// payment, has the order recorded or rejected, and says the time and the length of a pause.
//
//              pause over
//          ┌────────────────┐
//          ▼    refused,    │    no time left,
//       asking ──────────▶ pausing   or no call allowed
//        │   │  timed out   │
//        │   └──────────────┴──────────▶ rejecting ──stored──▶ decided
//        │ opened                         ▲   │ ▲
//        ▼                                │   └─┘ not stored: again after a pause, for ever
//    registering ──not stored─────────────┘
//        └──stored──▶ decided
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "actors/rules/circuit_breaker.hpp"
#include "messages/reply.hpp"

namespace skanu {

struct order_attempt_limits {
  std::chrono::milliseconds attempt{610};          ///< One wait for payment's answer.
  std::chrono::milliseconds shortest_attempt{50};  ///< With less time left none begins.
  int attempts = 100;
  /// Nothing asks payment twice for one attempt: a first answer of "unchanged" means that the id
  /// was in use before.
  bool asked_once = false;
};

/// The next deed for an order.
enum class checkout_step : std::uint8_t {
  none,            ///< The answer was of no concern any more.
  ask_payment,     ///< Where the breaker lets the call through; else refuse().
  wait,            ///< Until due().
  register_order,  ///< Payment is open.
  reject_order,    ///< Has the id rejected; refusal() tells why.
  decided,         ///< The id is an order, or rejected, for ever.
};

struct attempt_decision {
  checkout_step next = checkout_step::none;
  std::optional<call_outcome> call = {};  ///< The end of the call to payment that was under way.
  bool call_dropped = false;  ///< The call under way counts as none: an earlier one was answered.
};

/// An id that was never handed out before cannot be in use.
error id_in_use();

/// True where payment's answer says nothing about the order itself.
bool worth_another_attempt(errc payment_answer);

/// True where payment answered for its store.
bool is_of_a_store(errc payment_answer);

class order_attempt {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  /// An order that waits for its first attempt. `limits` outlive the object.
  order_attempt(time_point deadline, const order_attempt_limits& limits)
      : deadline_(deadline), limits_(limits) {}

  /// An id that an earlier run left undecided: to be rejected.
  static order_attempt left_undecided(const order_attempt_limits& limits);

  /// Notes that payment is asked now, and returns the number of this attempt, from 1 on.
  int ask(time_point now);

  /// Payment's answer to the attempt of that number. `pause`: before the next attempt, if any.
  attempt_decision on_payment(int number, const outcome& result, time_point now,
                              milliseconds pause);
  /// The time is due().
  attempt_decision on_due(time_point now, milliseconds pause);
  /// No further call to payment is allowed.
  attempt_decision refuse(error why);

  /// The answer to register_order and to reject_order. `pause`: before the next rejection, if any.
  attempt_decision on_registration(const outcome& result);
  attempt_decision on_rejection(const outcome& result, time_point now, milliseconds pause);

  /// True until the payment is open, or the order is to be rejected.
  bool waits_for_payment() const { return stage_ == stage::asking || stage_ == stage::pausing; }
  /// The time at which on_due() is to be called; earlier ones mean nothing any more.
  std::optional<time_point> due() const { return due_; }
  const error& refusal() const { return refusal_; }
  int attempts() const { return attempts_; }
  int rejections() const { return rejections_; }

 private:
  enum class stage : std::uint8_t { asking, pausing, registering, rejecting };

  attempt_decision opened(bool current, bool in_use);
  checkout_step try_again(error why, time_point now, milliseconds pause);
  checkout_step reject(error why);

  time_point deadline_;
  const order_attempt_limits& limits_;
  stage stage_ = stage::pausing;
  std::optional<time_point> due_;
  error refusal_ = {};  ///< The client's answer where the id is rejected.
  int attempts_ = 0;
  int rejections_ = 0;
};

}  // namespace skanu
