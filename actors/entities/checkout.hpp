// The checkout saga places orders and leaves no orphan. For each order checkout
//
//   1. hands out an id that was reserved durably before,
//   2. asks the payment service to open the payment of the id, through the circuit breaker and a
//      bulkhead, again and again until the deadline (the id makes a repeat harmless),
//   3. has the order recorded (201), or, where the payment did not open in time, has the id
//      rejected (503), which the payment service follows.
//
// Only the order service decides, and decides every id handed out: the next start after a crash
// rejects the undecided ids, unless orders are lost, and a decision not stored is tried again for
// ever. The decisions are order_attempt's (rules); the actor carries the decisions out.
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
  std::size_t bulkhead = 128;  ///< Limit of orders waiting for payment.
  std::size_t parked = 512;    ///< Limit of orders waiting for room in the bulkhead …
  std::chrono::milliseconds parked_for{300};  ///< … and the limit of the wait.
  std::chrono::milliseconds sweep{10};        ///< Interval of the looks at the timers.
  circuit_breaker_settings breaker;
  backoff_settings retry{std::chrono::milliseconds{10}, std::chrono::milliseconds{100}};
  backoff_settings decide_again;
  /// Orders and payments have one journal: an order and its payment become durable with one flush.
  bool shared_journal = false;
  /// Name of the payment service's node, if not this node: no id is handed out before the node has
  /// told the ids it knows.
  std::string payment_node = {};
  /// Further nodes with knowledge of orders. The first id waits for the knowledge, at most
  /// `hearing` since the start: an absent node holds up no order for longer.
  std::vector<std::string> followers = {};
  std::chrono::milliseconds hearing{1'200};
  /// The operator's word that data was restored: ids known to other nodes are passed over.
  bool restored = false;
};

// Answers awaited by checkout.

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
  return_of,    ///< On leaving: the ids behind `last` are given back.
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
    // From payment: the payment is open, or an error.
    caf::reacts_to<payment_answered>,
    // From the order: the order is recorded or rejected, or an error.
    caf::reacts_to<registration_answered>, caf::reacts_to<rejection_answered>,
    // From the journal: rows about ids are stored, or an error.
    caf::reacts_to<id_commit_answered>,
    // Timer: looks for attempts without an answer in time, and for ended backoffs.
    caf::reacts_to<sweep_atom>>;

class checkout final : public checkout_interface::base {
 public:
  checkout(caf::actor_config& config, const service_environment& env, order_region_actor orders,
           payment_region_actor payments, fault_plan& faults, breaker_display& display,
           id_recovery ids, checkout_limits limits = {});

  const char* name() const override { return "checkout"; }
  behavior_type make_behavior() override;
  /// Drops the promise: an open promise would keep the actor alive for ever.
  void on_exit() override { left_ = {}; }

 private:
  using time_point = std::chrono::steady_clock::time_point;

  /// An order without an id yet.
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
  /// True if the payment service's node has told no ids since the start, for longer than an order
  /// waits.
  bool never_saw_payment() const {
    return !payment_ids_known_ && began_ + limits_.deadline <= now();
  }
  /// True while followers may yet tell ids lost here.
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

  // checkout_ids.cpp: the ids handed out.
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
  std::vector<entity_id> left_undecided_;  ///< By an earlier run; decided at the start.
  id_blocks ids_;
  bool reserving_ = false;
  /// First and last id for the next reservation to pass over durably; 0: none.
  std::pair<entity_id, entity_id> skipping_;
  std::mt19937_64 random_{env_.seeds.next()};
  orders_under_way under_way_;  ///< Looked up only: the order of its entries is chance.
  std::unordered_set<std::string> running_operations_;
  std::deque<waiting_order> waiting_for_ids_;
  std::deque<waiting_order> parked_;  ///< Until the bulkhead has room and payment's ids are known.
  std::size_t waiting_for_payment_ = 0;  ///< Operations of the orders under way.
  timer_queue<entity_id> timers_;  ///< Timers of the orders under way, and of some finished orders.
  std::optional<error> store_failure_;  ///< Payment's last answer, if a failure of payment's store.
  bool sweeping_ = false;
  time_point began_;
  bool payment_ids_known_;         ///< Payment knows no id not yet handed out.
  std::set<std::string> unheard_;  ///< Followers yet to tell the ids known to them.
  bool orders_lost_ = false;   ///< Another node has perhaps read events missing in the log here.
  bool data_too_old_ = false;  ///< Ids known to another node may be given twice.
  std::optional<time_point> refusal_due_;  ///< Time to store the refusal again, after a failure.
  int refusals_not_stored_ = 0;            ///< In a row.
  /// Other nodes' knowledge not compared, because the log could not be read: the last for each node
  /// and timeline.
  std::map<std::pair<std::string, std::string>, known_ids> uncompared_;
  time_point compare_at_;
  int comparisons_failed_ = 0;  ///< In a row.
  bool leaving_ = false;
  caf::typed_response_promise<bool> left_;
};

}  // namespace skanu
