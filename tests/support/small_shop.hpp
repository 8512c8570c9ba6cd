// A shop without actors, for tests of stored data. The real rules decide the commands, the shop
// stores the results in the entities' format, and consumers work off the logs on the test's order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/audit/audit.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/event_commit.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "persistence/store.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// All five services in one database. Every function outside the damage section keeps the data
/// sound.
class small_shop {
 public:
  /// Stores in memory, or in the given empty tables.
  small_shop();
  explicit small_shop(std::unique_ptr<ordered_tables> tables);

  /// Carries out a command of an entity; throws where the rules refuse the command.
  template <class Rules>
  void tell(entity_id id, const typename Rules::command& c);

  /// Opens the payment, and records the order.
  void place(entity_id id, std::optional<std::string> phone = {});
  void pay(entity_id id, std::optional<std::string> phone = {});
  void move(entity_id id, delivery_status target) {
    tell<delivery_rules>(id, move_delivery{target, {}});
  }
  void cancel_order(entity_id id) { tell<order_rules>(id, cancel_order_command()); }
  void cancel_payment_by_client(entity_id id) { tell<payment_rules>(id, cancel_payment{}); }

  /// Lets a consumer work off its whole log; the second function repeats for all consumers until no
  /// event is new.
  void work_off(const consumer& who);
  void work_off_all();
  /// Moves a consumer's position to the end of its log, without the effects.
  void skip(const consumer& who);

  /// Writes a dead letter in a policy's format.
  void set_aside(const consumer& who, entity_id target, log_offset offset);
  /// Writes the row left by an operator's discard of a dead letter.
  void discard(const consumer& who, entity_id target, log_offset offset);

  void set_meta(service s, std::string_view key, std::string_view value);

  audit_report audit(const std::vector<service>& without = {}) const;
  store& data() { return *store_; }

  // Damage. Missing keys and missing texts throw.

  /// Stores the value with its correct checksum.
  void put(table t, std::string_view key, std::string_view value);
  void put_as_it_is(table t, std::string_view key, std::string_view stored);
  void erase(table t, std::string_view key);
  /// Replaces a text in a stored value.
  void edit(table t, std::string_view key, std::string_view from, std::string_view to);
  std::string value(table t, std::string_view key) const;
  std::vector<stored_row> all(table t) const;
  /// Appends an event that no rule decides.
  void append_event(service s, std::string body);

 private:
  static order_command cancel_order_command() { return skanu::cancel_order{}; }
  void react(const consumer& who, const logged_event& e);
  void trace(const consumer& who, const logged_event& e);
  void write(const commit& c);

  ordered_tables* tables_;
  std::unique_ptr<store> store_;
};

/// The orders of fill(), named by their stage, and the stamp account.
namespace stages {

inline constexpr entity_id placed = 1;
inline constexpr entity_id preparing = 2;
inline constexpr entity_id closed = 3;
inline constexpr entity_id order_cancelled_paid = 4;
inline constexpr entity_id payment_cancelled = 5;
inline constexpr entity_id order_cancelled_unpaid = 6;
inline constexpr entity_id rejected_open = 7;
inline constexpr entity_id rejected_unopened = 8;
inline constexpr entity_id ready_without_phone = 9;
inline constexpr entity_id undecided = 10;  ///< Has an open payment.
inline constexpr entity_id fresh = 20;      ///< Not used by fill(): free for a test.
inline const std::string phone = "01012341234";
inline const entity_id account = account_id_of(phone);

}  // namespace stages

/// Makes orders at every stage, with all logs worked off.
void fill(small_shop& shop);

template <class Rules>
void small_shop::tell(entity_id id, const typename Rules::command& c) {
  const auto now = store_->read();
  auto entity = decode_versioned<Rules>(now->entity(Rules::of, id));
  typename Rules::decision_context context;
  if constexpr (requires { &Rules::gather; })
    context = Rules::gather(
        id, c, [&](std::string_view key) { return now->row(Rules::of, row_space::rows, key); });
  const auto decided = Rules::decide(entity.state, c, id, context);
  if (decided.refusal) throw std::logic_error("refused: " + decided.refusal->detail);
  if (decided.events.empty()) return;
  commit written{.of = Rules::of};
  add_events(written, id, entity, decided.events,
             instant{std::chrono::milliseconds{1'795'000'000'000}});
  write(written);
}

}  // namespace skanu
