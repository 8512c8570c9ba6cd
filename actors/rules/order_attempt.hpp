// An order attempt decides the next step of an order after an answer or a timeout. Pure: the caller
// asks payment, has the order recorded or rejected, and says the time and the length of a pause.
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
  std::chrono::milliseconds attempt{610};          ///< The wait for payment's answer.
  std::chrono::milliseconds shortest_attempt{50};  ///< With less time left no attempt begins.
  int attempts = 100;
  /// True where payment gets each attempt at most once: a first answer of "unchanged" then means an
  /// id in use before.
  bool asked_once = false;
};

/// The caller's next step for an order.
enum class checkout_step : std::uint8_t {
  none,            ///< The answer came too late to matter.
  ask_payment,     ///< Where the breaker lets the call through; else refuse().
  wait,            ///< Until due().
  register_order,  ///< Payment is open.
  reject_order,    ///< Has the id rejected; refusal() tells why.
  decided,         ///< The id is an order, or rejected, for ever.
};

struct attempt_decision {
  checkout_step next = checkout_step::none;
  std::optional<call_outcome> call = {};  ///< The end of the call under way.
  bool call_dropped = false;  ///< The call under way does not count: an earlier call was answered.
};

/// The error for a new id already in use: the stored data is damaged.
error id_in_use();

/// True for a transient failure of payment, except a long absence.
bool worth_another_attempt(errc payment_answer);

/// True for a failure of payment's store.
bool is_of_a_store(errc payment_answer);

class order_attempt {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  /// Begins before the first attempt. `limits` outlive the object.
  order_attempt(time_point deadline, const order_attempt_limits& limits)
      : deadline_(deadline), limits_(limits) {}

  /// Begins with the rejection of an id left undecided by an earlier run.
  static order_attempt left_undecided(const order_attempt_limits& limits);

  /// Notes a question to payment now, and returns the attempt's number, from 1 on.
  int ask(time_point now);

  /// Takes payment's answer to attempt `number`. `pause`: before the next attempt, if any.
  attempt_decision on_payment(int number, const outcome& result, time_point now,
                              milliseconds pause);
  /// To be called at the time due().
  attempt_decision on_due(time_point now, milliseconds pause);
  /// Gives the order up, because no further call to payment is allowed.
  attempt_decision refuse(error why);

  /// Take the answers to register_order and to reject_order. `pause`: before the next rejection.
  attempt_decision on_registration(const outcome& result);
  attempt_decision on_rejection(const outcome& result, time_point now, milliseconds pause);

  /// True until the payment is open, or the order is to be rejected.
  bool waits_for_payment() const { return stage_ == stage::asking || stage_ == stage::pausing; }
  /// The time for on_due(); replaces all earlier times.
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
