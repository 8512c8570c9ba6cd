// Random commands to each entity, and random interleavings of the whole saga over the pure rules:
// the audit's invariants hold in the end, after any order, repeats and crashes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "actors/rules/consumers.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/reactions.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "tests/support/decisions.hpp"
#include "tests/support/seed.hpp"

namespace skanu {
namespace {

const std::string noon = "2026-11-22T12:00:00.000Z";
const std::vector<std::string> phones = {"01012341234", "01056785678", "0212345678"};

class chance {
 public:
  explicit chance(std::uint64_t seed) : random_(seed) {}
  /// From 0 to `below` - 1.
  std::int64_t pick(std::int64_t below) {
    return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_);
  }
  bool one_in(std::int64_t n) { return pick(n) == 0; }
  template <class T>
  const T& any_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(pick(static_cast<std::int64_t>(list.size())))];
  }

 private:
  std::mt19937_64 random_;
};

order_details some_details(chance& c) {
  return {1 + c.pick(3), "Coffee", 1 + c.pick(3), 1'000 * c.pick(3), c.one_in(2) ? "card" : "cash"};
}

order_command some_order_command(chance& c) {
  switch (c.pick(4)) {
    case 0: return register_order{some_details(c)};
    case 1: return reject_order{};
    case 2: return cancel_order{};
    default: return close_order{};
  }
}

payment_command some_payment_command(chance& c) {
  switch (c.pick(5)) {
    case 0: return open_payment{some_details(c), c.any_of(phones)};
    case 1: return cancel_payment{static_cast<cancel_cause>(c.pick(3))};
    case 2: return close_payment{};
    default: {
      update_payment u;
      u.target = static_cast<payment_status>(1 + c.pick(3));
      if (c.one_in(3)) u.phone_number = c.any_of(phones);
      if (c.one_in(3)) u.payment_type = c.one_in(2) ? "card" : "cash";
      if (c.one_in(8)) u.qty = c.pick(3);
      return u;
    }
  }
}

delivery_command some_delivery_command(chance& c) {
  switch (c.pick(6)) {
    case 0: return prepare_delivery{1, "Coffee", 1 + c.pick(3)};
    case 1: return cancel_delivery{};
    default: {
      move_delivery m{static_cast<delivery_status>(1 + c.pick(5)), {}};
      if (c.one_in(4)) m.destination = c.one_in(2) ? "Seoul" : "Busan";
      return m;
    }
  }
}

/// No further event may happen.
bool is_over(const order_state& s) {
  return s.status == order_status::cancelled || s.status == order_status::rejected || s.delivered;
}
bool is_over(const payment_state& s) { return s.rejected; }
bool is_over(const delivery_state& s) {
  return s.status == delivery_status::ended || s.status == delivery_status::cancelled;
}

template <class Rules, class Next>
void tell_at_random(chance& c, Next next) {
  typename Rules::state s;
  std::vector<typename Rules::event> history;
  for (int step = 0; step < 25; ++step) {
    const auto command = next(c);
    const auto before = s;
    const auto decided = Rules::decide(s, command, 42);
    EXPECT_TRUE(!decided.refusal || decided.events.empty());
    EXPECT_TRUE(decided.events.empty() || !is_over(before)) << "it was over";
    for (const auto& e : decided.events) {
      Rules::apply(s, e);
      history.push_back(e);
    }
    EXPECT_GE(Rules::status(s), Rules::status(before)) << "a step back";
    if (!decided.refusal) {
      EXPECT_EQ(word_for(Rules::decide(s, command, 42)), "nothing") << "not idempotent";
    }
    // The state is the fold of the stored events.
    typename Rules::state folded;
    for (const auto& e : history)
      Rules::apply(
          folded, decode_event<typename Rules::event>(parse_stored_json(encode_event(e, 1, noon))));
    EXPECT_EQ(folded, s);
    EXPECT_EQ(decode_document<typename Rules::state>(encode_document(Rules::of, 1, s)), s);
  }
}

TEST(saga_property, random_commands_to_each_entity) {
  const auto seed = seed_of_this_run();
  SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed));
  chance c(seed);
  for (int run = 0; run < 400 && !testing::Test::HasFailure(); ++run) {
    tell_at_random<order_rules>(c, some_order_command);
    tell_at_random<payment_rules>(c, some_payment_command);
    tell_at_random<delivery_rules>(c, some_delivery_command);
  }
}

// --- The whole saga ------------------------------------------------------------------------------

/// The entities of a service with the log.
template <class Rules>
class simulated_service {
 public:
  /// True where the command was not refused.
  bool tell(entity_id id, const typename Rules::command& c) {
    auto& e = entities_[id];
    typename Rules::decision_context known{};
    if constexpr (requires { &Rules::gather; })
      known = Rules::gather(id, c, [&](std::string_view key) -> std::optional<std::string> {
        const auto row = rows.find(std::string(key));
        return row == rows.end() ? std::nullopt : std::optional(row->second);
      });
    const auto decided = Rules::decide(e.state, c, id, known);
    for (const auto& event : decided.events) {
      Rules::apply(e.state, event);
      log.push_back(encode_event(event, ++e.version, noon));
      if constexpr (requires { Rules::rows(id, event, e.version, noon); }) {
        for (const auto& row : Rules::rows(id, event, e.version, noon))
          EXPECT_TRUE(rows.emplace(row.key, *row.value).second) << "a key twice";
      }
    }
    return !decided.refusal;
  }

  typename Rules::state state_of(entity_id id) const {
    const auto found = entities_.find(id);
    return found == entities_.end() ? typename Rules::state{} : found->second.state;
  }

  /// How many events of a type an entity has had.
  std::int64_t count(entity_id id, std::string_view type) const {
    return std::count_if(log.begin(), log.end(), [&](const auto& body) {
      return order_of(body) == id && event_type_of(body) == type;
    });
  }

  std::vector<std::string> log;
  std::map<std::string, std::string> rows;

 private:
  struct entity {
    typename Rules::state state;
    version_number version = 0;
  };
  std::map<entity_id, entity> entities_;
};

/// All services, and all consumers, each log read separately.
class simulated_saga {
 public:
  simulated_service<order_rules> orders;
  simulated_service<payment_rules> payments;
  simulated_service<delivery_rules> deliveries;
  simulated_service<stamp_rules> stamps;
  std::map<entity_id, order_trace> traces;

  const std::vector<std::string>& log_of(service s) const {
    switch (s) {
      case service::order: return orders.log;
      case service::payment: return payments.log;
      case service::delivery: return deliveries.log;
      default: return stamps.log;
    }
  }

  /// The consumer works off the next event; false without a next event.
  bool step(std::size_t consumer_number) {
    const auto& who = consumers::all[consumer_number];
    auto& read = read_[consumer_number];
    const auto& log = log_of(who.follows);
    if (read == log.size()) return false;
    work_off(who, std::string(log[read]));  // a copy: a command may append to the log
    ++read;
    return true;
  }

  /// The position becomes durable.
  void keep_position(std::size_t consumer_number) {
    kept_[consumer_number] = read_[consumer_number];
  }
  /// A crash makes the consumer read again all events since the durable position.
  void lose_position(std::size_t consumer_number) {
    // A single commit holds the view's position and effect.
    if (consumers::all[consumer_number].of == service::ordertrace) return;
    read_[consumer_number] = kept_[consumer_number];
  }

 private:
  void work_off(const consumer& who, const std::string& body) {
    const auto id = order_of(body);
    if (who.of == service::ordertrace) return apply_event(traces[id], id, body);
    if (const auto what = react(who, parse_stored_json(body))) {
      EXPECT_TRUE(tell(*what)) << who.name << " was refused at " << body;
    }
  }

  bool tell(const addressed_command& what) {
    return std::visit(
        overloaded{[&](const order_command& c) { return orders.tell(what.id, c); },
                   [&](const payment_command& c) { return payments.tell(what.id, c); },
                   [&](const delivery_command& c) { return deliveries.tell(what.id, c); },
                   [&](const stamp_command& c) { return stamps.tell(what.id, c); }},
        what.command);
  }

  std::array<std::size_t, std::size(consumers::all)> read_{};
  std::array<std::size_t, std::size(consumers::all)> kept_{};
};

class random_interleaving {
 public:
  explicit random_interleaving(std::uint64_t seed) : chance_(seed) {}

  void run() {
    for (int i = 0; i < 300; ++i) {
      if (chance_.one_in(2)) {
        let_a_consumer_live();
      } else {
        let_a_client_act();
      }
    }
    for (const auto id : undecided_) saga_.orders.tell(id, reject_order{});
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < std::size(consumers::all); ++i) moved |= saga_.step(i);
    }
    check();
  }

 private:
  void let_a_consumer_live() {
    const auto who = static_cast<std::size_t>(chance_.pick(std::size(consumers::all)));
    switch (chance_.pick(8)) {
      case 0: return saga_.lose_position(who);
      case 1:
      case 2: return saga_.keep_position(who);
      default: saga_.step(who);
    }
  }

  void let_a_client_act() {
    const auto id = 1 + chance_.pick(std::max<entity_id>(last_, 1));
    switch (chance_.pick(10)) {
      case 0:
      case 1: return begin_an_order();
      case 2:
      case 3: return decide_an_order();
      case 4:
      case 5: {
        update_payment u;
        u.target = payment_status::paid;
        if (chance_.one_in(3)) u.phone_number = chance_.any_of(phones);
        saga_.payments.tell(id, u);
        return;
      }
      case 6: saga_.orders.tell(id, cancel_order{}); return;
      case 7: saga_.payments.tell(id, cancel_payment{cancel_cause::client}); return;
      case 8: {
        const auto account = account_id_of(chance_.any_of(phones));
        const auto qty = chance_.pick(9) - 4;
        if (saga_.stamps.tell(account, add_stamps{qty})) by_hand_[account] += qty;
        return;
      }
      default:
        saga_.deliveries.tell(id,
                              move_delivery{static_cast<delivery_status>(1 + chance_.pick(5)), {}});
    }
  }

  /// An id is handed out; the payment may be opened at once, much later, twice or never.
  void begin_an_order() {
    const auto id = ++last_;
    undecided_.push_back(id);
    const open_payment open{some_details(chance_), chance_.one_in(3)
                                                       ? std::nullopt
                                                       : std::optional(chance_.any_of(phones))};
    opened_[id] = open;
    if (!chance_.one_in(3)) saga_.payments.tell(id, open);
  }

  void decide_an_order() {
    if (undecided_.empty()) return;
    const auto i = chance_.pick(static_cast<std::int64_t>(undecided_.size()));
    const auto id = undecided_[static_cast<std::size_t>(i)];
    undecided_.erase(undecided_.begin() + i);
    if (chance_.one_in(4)) {
      saga_.orders.tell(id, reject_order{});
    } else if (saga_.payments.tell(id, opened_[id])) {
      saga_.orders.tell(id, register_order{opened_[id].details});
    } else {
      saga_.orders.tell(id, reject_order{});
    }
    // Late requests, after any decision.
    if (chance_.one_in(2)) saga_.payments.tell(id, opened_[id]);
  }

  /// The audit's invariants 1 to 6.
  void check() {
    std::map<entity_id, std::int64_t> earned;
    for (entity_id id = 1; id <= last_; ++id) {
      SCOPED_TRACE("order " + std::to_string(id));
      const auto order = saga_.orders.state_of(id);
      const auto payment = saga_.payments.state_of(id);
      const auto delivery = saga_.deliveries.state_of(id);
      const auto paid_times = saga_.payments.count(id, "Paid");
      const bool ended = delivery.status == delivery_status::ended;
      // 1
      if (order_rules::listed(order)) {
        EXPECT_TRUE(payment_rules::listed(payment));
      } else {
        EXPECT_EQ(order.status, order_status::rejected);
        EXPECT_TRUE(payment.rejected);
        EXPECT_EQ(payment.status, payment_status::cancelled);
      }
      // 3 is summed up below.
      if (payment.status == payment_status::paid && payment.phone_number)
        earned[account_id_of(*payment.phone_number)] += payment.details.qty;
      // 4
      EXPECT_LE(saga_.deliveries.count(id, "DeliveryPrepared"), 1);
      if (delivery_rules::listed(delivery)) {
        EXPECT_EQ(paid_times, 1);
        EXPECT_EQ(delivery.product_id, payment.details.product_id);
        EXPECT_EQ(delivery.qty, payment.details.qty);
      }
      if (payment.status == payment_status::paid) {
        EXPECT_TRUE(delivery_rules::listed(delivery));
        EXPECT_NE(delivery.status, delivery_status::cancelled);
        EXPECT_EQ(payment.closed, ended);
      } else if (paid_times > 0) {
        EXPECT_TRUE(ended || delivery.status == delivery_status::cancelled);
      }
      if (ended) {
        EXPECT_TRUE(order.delivered || order.status == order_status::cancelled || payment.rejected);
      }
      // 5
      EXPECT_LE(paid_times, 1);
      EXPECT_EQ(payment.refunded, paid_times == 1 && payment.status == payment_status::cancelled);
      if (order.status == order_status::cancelled) {
        EXPECT_EQ(payment.status, payment_status::cancelled);
      }
      check_trace(id);
    }
    for (const auto& phone : phones) {
      const auto account = account_id_of(phone);
      EXPECT_EQ(saga_.stamps.state_of(account).stamp_qty, earned[account] + by_hand_[account])
          << phone;
    }
  }

  /// 6: the highest step of all logs, read in another order.
  void check_trace(entity_id id) {
    order_trace expected;
    for (const auto s : {service::delivery, service::payment, service::order})
      for (const auto& body : saga_.log_of(s))
        if (order_of(body) == id) apply_event(expected, id, body);
    EXPECT_EQ(saga_.traces[id], expected);
  }

  chance chance_;
  simulated_saga saga_;
  entity_id last_ = 0;
  std::vector<entity_id> undecided_;
  std::map<entity_id, open_payment> opened_;
  std::map<entity_id, std::int64_t> by_hand_;
};

TEST(saga_property, random_interleavings_of_the_whole_saga) {
  const auto seed = seed_of_this_run();
  for (std::uint64_t run = 0; run < 200 && !testing::Test::HasFailure(); ++run) {
    SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed) + ", run " + std::to_string(run));
    random_interleaving(seed + run).run();
  }
}

}  // namespace
}  // namespace skanu
