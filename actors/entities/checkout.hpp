// The saga that places an order, and never leaves an orphan. For each order it
//
//   1. hands out an id that was reserved durably before,
//   2. asks the payment service to open the payment of that id: 610 ms an attempt, through the
//   circuit
//      breaker and a bulkhead, again and again until the deadline (the id makes a repeat harmless),
//   3. has the order recorded (201), or, where the payment did not open in time, has the id
//   rejected,
//      which the payment service follows (503).
//
// Only the order service decides, and every id that was handed out is decided: those that a crash
// left behind are rejected at the next start, and a decision that cannot be stored is tried again
// for ever.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "actors/entities/environment.hpp"
#include "actors/operations/backoff.hpp"
#include "actors/operations/faults.hpp"
#include "actors/rules/circuit_breaker.hpp"
#include "actors/rules/id_blocks.hpp"
#include "actors/rules/id_recovery.hpp"
#include "messages/deadlines.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct checkout_limits {
  std::chrono::milliseconds attempt{610};
  std::chrono::milliseconds deadline = checkout_deadline;
  std::chrono::milliseconds shortest_attempt{50};
  std::size_t bulkhead = 128;               ///< Orders that wait for payment at once.
  std::size_t parked = 512;                 ///< Orders that wait for room among those …
  std::chrono::milliseconds patience{300};  ///< … for so long.
  std::chrono::milliseconds sweep{10};
  circuit_breaker_settings breaker;
  backoff_settings retry{std::chrono::milliseconds{10}, std::chrono::milliseconds{100}};
  backoff_settings decide_again;
  /// Orders and payments have one journal: an order and its payment become durable with one flush.
  bool shared_journal = false;
  /// The node that runs the payment service, where it is another one: no id is handed out before it
  /// has said which ids it knows.
  std::string payment_node = {};
  /// The operator says that data was restored: ids that others know are passed over.
  bool restored = false;
};

// The answers that checkout waits for.

struct payment_answered {
  entity_id id = 0;
  int attempt = 0;
  outcome result = {};
};
struct order_registered {
  entity_id id = 0;
  outcome result = {};
};
struct order_rejection_stored {
  entity_id id = 0;
  outcome result = {};
};
struct ids_reserved {
  entity_id last = 0;
  bool leaving = false;  ///< Ids were given back.
  outcome result = {};
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::payment_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::order_registered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::order_rejection_stored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::ids_reserved)

namespace skanu {

using checkout_interface = checkout_actor::extend<
    // From payment: it is open, or why not.
    caf::reacts_to<payment_answered>,
    // From the order: it is recorded, or rejected, or why not.
    caf::reacts_to<order_registered>, caf::reacts_to<order_rejection_stored>,
    // From the journal: ids may be handed out.
    caf::reacts_to<ids_reserved>,
    // From itself: looks for attempts whose time is over, and for those whose backoff is.
    caf::reacts_to<sweep_atom>>;

/// What became of a call that the breaker let through.
enum class call_outcome : std::uint8_t { success, failure, timeout };

constexpr std::string_view name_of(call_outcome o) {
  switch (o) {
    case call_outcome::success: return "success";
    case call_outcome::failure: return "failure";
    case call_outcome::timeout: return "timeout";
  }
  return "unknown";
}

/// What the breaker shows, readable by any thread.
class breaker_display {
 public:
  void count(call_outcome o) { ++calls_[static_cast<std::size_t>(o)]; }
  /// Since the start.
  std::int64_t calls(call_outcome o) const { return calls_[static_cast<std::size_t>(o)].load(); }

  void set(const circuit_breaker::figures& f) {
    const std::lock_guard lock(mutex_);
    figures_ = f;
  }
  circuit_breaker::figures get() const {
    const std::lock_guard lock(mutex_);
    return figures_;
  }

 private:
  mutable std::mutex mutex_;
  circuit_breaker::figures figures_;
  std::array<counter, 3> calls_{};
};

class checkout final : public checkout_interface::base {
 public:
  checkout(caf::actor_config& config, const service_environment& env, order_region_actor orders,
           payment_region_actor payments, fault_plan& faults, breaker_display& display,
           id_recovery ids, checkout_limits limits = {});

  const char* name() const override { return "checkout"; }
  behavior_type make_behavior() override;
  /// A promise that was not kept would hold this actor for ever.
  void on_exit() override { left_ = {}; }

 private:
  using time_point = std::chrono::steady_clock::time_point;
  enum class stage : std::uint8_t { asking, pausing, registering, rejecting };

  /// An order that was not given an id yet.
  struct newcomer {
    place_order order;
    skanu::command_context client;
    time_point since;
  };

  /// One order on its way.
  struct placing {
    place_order order;
    skanu::command_context client;
    std::string operation_key;
    time_point deadline;
    stage at = stage::asking;
    int attempt = 0;
    circuit_breaker::permit permit;
    error refusal;  ///< What the client is told where the id is rejected.
    int rejections = 0;
  };
  using placings = std::unordered_map<entity_id, placing>;
  struct timer {
    time_point due;
    entity_id id;
    int attempt;
  };

  void place(newcomer n);
  void park(newcomer n);
  void let_parked_in();
  bool is_full() const {
    return waiting_for_payment_ + waiting_for_ids_.size() >= limits_.bulkhead;
  }
  /// The node of the payment service was not there since the start, for longer than an order waits.
  bool never_saw_payment() const {
    return !payment_ids_known_ && began_ + limits_.deadline <= now();
  }
  bool must_wait() const { return is_full() || !payment_ids_known_; }
  std::optional<outcome> known_outcome(const skanu::command_context& r) const;
  void ask_payment(entity_id id, placing& p);
  void on_payment(const payment_answered& a);
  void attempt_failed(entity_id id, placing& p, const error& why);
  void register_now(entity_id id, placing& p, std::shared_ptr<commit_owner> payment);
  void reject(entity_id id, placing& p, error why);
  void send_rejection(entity_id id, placing& p);
  void on_registered(const order_registered& a);
  void on_rejected(const order_rejection_stored& a);
  void finish(placings::iterator p);
  void end_operation(placing& p);
  void take_note(const known_ids& ids);
  void pass_over(const std::string& peer, entity_id known);
  void reject_left_undecided();
  void decide_left_undecided(const order_knowledge& payment);
  bool was_lost(const order_knowledge& known) const;
  void reserve_ids();
  void on_reserved(const ids_reserved& a);
  void sweep();
  void start_sweeping();
  error kept_from_payment() const;
  std::optional<circuit_breaker::permit> acquire();
  void record(const circuit_breaker::permit& permit, call_outcome how);
  void show_breaker(breaker_state before);
  time_point now() const { return clock().now(); }

  const service_environment& env_;
  order_region_actor orders_;
  payment_region_actor payments_;
  fault_plan& faults_;
  breaker_display& display_;
  checkout_limits limits_;
  circuit_breaker breaker_;
  std::vector<entity_id> left_undecided_;  ///< By an earlier run; rejected at the start.
  id_blocks ids_;
  bool reserving_ = false;
  /// The ids that the next reservation passes over, the first and the last; 0: none.
  std::pair<entity_id, entity_id> skipping_;
  std::mt19937_64 random_{std::random_device{}()};
  placings placings_;
  std::unordered_set<std::string> running_operations_;
  std::deque<newcomer> waiting_for_ids_;
  std::deque<newcomer> parked_;  ///< Until the bulkhead has room and payment's ids are known.
  std::size_t waiting_for_payment_ = 0;
  std::deque<timer> attempts_;  ///< In the order of their time: all wait equally long.
  std::multimap<time_point, entity_id> pauses_;
  std::optional<error> store_failure_;  ///< Payment's last answer, where its store failed.
  bool sweeping_ = false;
  time_point began_;
  bool payment_ids_known_;     ///< Payment knows no id that is yet to be handed out.
  bool data_too_old_ = false;  ///< Another node knows ids that were never reserved here.
  bool leaving_ = false;
  caf::typed_response_promise<bool> left_;
};

}  // namespace skanu
