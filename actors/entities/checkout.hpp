// The saga that places an order, and never leaves an orphan. For each order checkout
//
//   1. hands out an id that was reserved durably before,
//   2. asks the payment service to open the payment of that id, through the circuit breaker and a
//      bulkhead, again and again until the deadline (the id makes a repeat harmless),
//   3. has the order recorded (201), or, where the payment did not open in time, has the id
//      rejected (503), which the payment service follows.
//
// Only the order service decides, and every id that was handed out is decided: ids that a crash
// left behind are rejected at the next start, and a decision that cannot be stored is tried again
// for ever. The decisions are order_attempt's (rules); the actor carries them out.
#pragma once

#include <deque>
#include <map>
#include <random>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "actors/entities/environment.hpp"
#include "actors/operations/backoff.hpp"
#include "actors/operations/breaker_display.hpp"
#include "actors/operations/faults.hpp"
#include "actors/operations/timer_queue.hpp"
#include "actors/rules/circuit_breaker.hpp"
#include "actors/rules/id_blocks.hpp"
#include "actors/rules/id_recovery.hpp"
#include "actors/rules/order_attempt.hpp"
#include "messages/deadlines.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct checkout_limits : order_attempt_limits {
  std::chrono::milliseconds deadline = checkout_deadline;
  std::size_t bulkhead = 128;                 ///< Orders that wait for payment at once.
  std::size_t parked = 512;                   ///< Orders that wait for room among those …
  std::chrono::milliseconds parked_for{300};  ///< … for so long.
  std::chrono::milliseconds sweep{10};        ///< Between two looks at the timers.
  circuit_breaker_settings breaker;
  backoff_settings retry{std::chrono::milliseconds{10}, std::chrono::milliseconds{100}};
  backoff_settings decide_again;
  /// Orders and payments have one journal: an order and its payment become durable with one flush.
  bool shared_journal = false;
  /// The node that runs the payment service, where it is another one: no id is handed out before it
  /// has said which ids it knows.
  std::string payment_node = {};
  /// Further nodes that know of orders. The first id waits for what they know, for so long since
  /// the start: a node that is away holds up no order for longer.
  std::vector<std::string> followers = {};
  std::chrono::milliseconds hearing{1'200};
  /// The operator says that data was restored: ids that others know are passed over.
  bool restored = false;
};

// The answers that checkout waits for.

struct payment_answered {
  entity_id id = 0;
  int attempt = 0;
  outcome result = {};
};
struct registration_answered {
  entity_id id = 0;
  outcome result = {};
};
struct rejection_answered {
  entity_id id = 0;
  outcome result = {};
};
/// A commit of the rows about ids.
enum class id_commit : std::uint8_t {
  reservation,  ///< Ids up to `last` may be handed out.
  return_of,    ///< On leaving: the ids behind `last` were given back.
  refusal,      ///< The data is too old, at later starts too.
};
struct id_commit_answered {
  id_commit what = id_commit::reservation;
  entity_id last = 0;
  outcome result = {};
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::payment_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::registration_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::rejection_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::id_commit_answered)

namespace skanu {

using checkout_interface = checkout_actor::extend<
    // From payment: it is open, or why not.
    caf::reacts_to<payment_answered>,
    // From the order: it is recorded, or rejected, or why not.
    caf::reacts_to<registration_answered>, caf::reacts_to<rejection_answered>,
    // From the journal: rows about ids are stored, or why not.
    caf::reacts_to<id_commit_answered>,
    // From itself: looks for attempts whose time is over, and for those whose backoff is.
    caf::reacts_to<sweep_atom>>;

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

  /// An order that was not given an id yet.
  struct waiting_order {
    place_order order;
    skanu::command_context client;
    time_point since;
  };

  /// An order with an id, until the id is decided.
  struct order_under_way {
    explicit order_under_way(const order_attempt& a) : attempt(a) {}

    order_attempt attempt;
    place_order order;
    skanu::command_context client;
    std::string operation_key;
    circuit_breaker::permit permit;
    std::shared_ptr<commit_owner> builds_on;  ///< The payment's commits.
  };
  using orders_under_way = std::unordered_map<entity_id, order_under_way>;

  // checkout.cpp: orders.
  void place(waiting_order o);
  void park(waiting_order o);
  void let_parked_in();
  bool is_full() const {
    return waiting_for_payment_ + waiting_for_ids_.size() >= limits_.bulkhead;
  }
  /// The node of the payment service was not there since the start, for longer than an order waits.
  bool never_saw_payment() const {
    return !payment_ids_known_ && began_ + limits_.deadline <= now();
  }
  /// Followers may yet say that they know ids which are lost here.
  bool hears_followers() const { return !unheard_.empty() && now() < began_ + limits_.hearing; }
  bool heard_all() const { return payment_ids_known_ && !hears_followers(); }
  bool knows_ids() const { return heard_all() && uncompared_.empty(); }
  bool must_wait() const { return is_full() || !knows_ids(); }
  error kept_waiting() const;
  std::optional<outcome> known_outcome(const skanu::command_context& r) const;
  void on_payment(const payment_answered& a);
  void on_registered(const registration_answered& a);
  void on_rejected(const rejection_answered& a);
  void sweep();
  template <class Decide>
  void decide(entity_id id, Decide next);
  void follow(entity_id id, order_under_way& o, bool waited, const attempt_decision& d);
  void ask_payment(entity_id id, order_under_way& o);
  void register_order(entity_id id, order_under_way& o);
  void send_rejection(entity_id id, const order_under_way& o);
  void look_again(entity_id id, const order_under_way& o);
  void finish(entity_id id, order_under_way& o);
  void end_operation(order_under_way& o);
  void start_sweeping();
  error kept_from_payment() const;
  std::optional<circuit_breaker::permit> acquire();
  void record(const circuit_breaker::permit& permit, call_outcome how);
  void show_breaker(breaker_state before);
  time_point now() const { return clock().now(); }

  // checkout_ids.cpp: the ids that are handed out.
  void take_note(const known_ids& ids);
  std::optional<log_match> compare(const known_ids& ids);
  void compare_again();
  void refuse_orders(const known_ids& ids);
  void store_refusal();
  void say_too_old(std::string_view told_by, const order_knowledge& known) const;
  void pass_over(const std::string& peer, entity_id known);
  void decide_left_undecided();
  void reserve_ids();
  std::vector<row_write> rows_of_reservation(entity_id last) const;
  void commit_ids(id_commit what, entity_id last, std::vector<row_write> rows);
  void on_id_commit(const id_commit_answered& a);
  void on_reserved(const id_commit_answered& a);

  const service_environment& env_;
  order_region_actor orders_;
  payment_region_actor payments_;
  fault_plan& faults_;
  breaker_display& display_;
  const checkout_limits limits_;
  circuit_breaker breaker_;
  std::vector<entity_id> left_undecided_;  ///< By an earlier run; rejected at the start.
  id_blocks ids_;
  bool reserving_ = false;
  /// Ids to be passed over durably by the next reservation, the first and the last; 0: none.
  std::pair<entity_id, entity_id> skipping_;
  std::mt19937_64 random_{env_.seeds.next()};
  orders_under_way under_way_;  ///< Looked up only: the order of its entries is chance.
  std::unordered_set<std::string> running_operations_;
  std::deque<waiting_order> waiting_for_ids_;
  std::deque<waiting_order> parked_;  ///< Until the bulkhead has room and payment's ids are known.
  std::size_t waiting_for_payment_ = 0;  ///< Operations of the orders under way.
  timer_queue<entity_id> timers_;  ///< Timers of the orders under way, and of some finished orders.
  std::optional<error> store_failure_;  ///< Payment's last answer, where its store failed.
  bool sweeping_ = false;
  time_point began_;
  bool payment_ids_known_;         ///< Payment knows no id that is yet to be handed out.
  std::set<std::string> unheard_;  ///< Followers that have not said yet which ids they know.
  bool orders_lost_ = false;       ///< Another node has read events that this log lacks, perhaps.
  bool data_too_old_ = false;      ///< Another node knows ids that may be given twice.
  std::optional<time_point> refusal_due_;  ///< When the refusal is to be stored, after a failure.
  int refusals_not_stored_ = 0;            ///< In a row.
  /// Knowledge of other nodes that the store did not let compare with the log: the last for each
  /// node and timeline.
  std::map<std::pair<std::string, std::string>, known_ids> uncompared_;
  time_point compare_at_;
  int comparisons_failed_ = 0;  ///< In a row.
  bool leaving_ = false;
  caf::typed_response_promise<bool> left_;
};

}  // namespace skanu
