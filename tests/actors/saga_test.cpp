// The whole saga on one disk in virtual time: random clients, faults and crashes, and in the end
// the audit finds every invariant of the design kept.
#include "actors/consumers/policies.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "actors/audit/audit.hpp"
#include "actors/consumers/event_log.hpp"
#include "actors/consumers/trace_view.hpp"
#include "actors/entities/checkout.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/payment_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "actors/supervision/supervisor.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/support/actor_fixture.hpp"

namespace skanu {
namespace {

const std::string phone = "01012341234";

/// SKANU_SEED repeats a run.
std::uint64_t seed_of_this_run() {
  const auto* given = std::getenv("SKANU_SEED");
  const std::uint64_t seed = given ? std::stoull(given) : std::random_device{}();
  std::cout << "SKANU_SEED=" << seed << std::endl;
  return seed;
}

class saga_test : public actor_fixture {
 protected:
  /// What a node starts.
  void start_node() {
    orders = region_of<order_rules>();
    payments = region_of<payment_rules>();
    deliveries = region_of<delivery_rules>();
    stamps = region_of<stamp_rules>();
    for (const auto s : {service::order, service::payment, service::delivery, service::stamp})
      hint_to(s, log(s) = running(system.spawn(event_log, &env(s), s)));
    checkout_limits limits;
    limits.shared_journal = shared_journal;
    placing =
        running(system.spawn<checkout>(env(service::order), orders, payments, faults, breaker,
                                       recover_ids(*data.read(), limits.shared_journal), limits));
    std::vector<child> children;
    for (auto policies :
         {policies_of(service::order, orders), policies_of(service::payment, payments),
          policies_of(service::delivery, deliveries), policies_of(service::stamp, stamps)})
      for (auto& p : policies)
        children.push_back({std::string(p.who.name), p.who.of, [this, p](caf::local_actor& by) {
                              consumer_limits few;
                              few.batch = batch;
                              return caf::actor_cast<caf::actor>(by.spawn<policy>(
                                  env(p.who.of), p, log(p.who.follows), faults, few));
                            }});
    children.push_back({"trace", service::ordertrace, [this](caf::local_actor& by) {
                          std::vector<trace_view::source> sources;
                          for (const auto s : {service::order, service::payment, service::delivery})
                            sources.push_back({s, log(s)});
                          consumer_limits few;
                          few.batch = batch;
                          return caf::actor_cast<caf::actor>(
                              by.spawn<trace_view>(env(service::ordertrace), sources, few));
                        }});
    supervising = running(system.spawn<supervisor>(std::move(children), metrics, seeds.next()));
    run();
  }

  /// kill -9: what is not on disk is gone.
  void crash_node() {
    disk.lose_everything();
    caf::anon_send_exit(supervising, caf::exit_reason::user_shutdown);
    for (const auto& a : node_) caf::anon_send_exit(a, caf::exit_reason::kill);
    node_.clear();
    run();
    disk.lose_everything();
  }

  /// Time enough for everything to be worked off.
  void catch_up() {
    const auto began = virtual_now();
    do {
      advance(milliseconds(100));
    } while (!idle() && virtual_now() - began < minutes(10));
  }

  bool idle() {
    const auto now = data.read();
    for (const auto& who : consumers::all) {
      const auto row = now->row(who.of, row_space::meta, position_key(who.name));
      if ((row ? std::stoll(*row) : 0) < now->log_end(who.follows)) return false;
    }
    return true;
  }

  audit_report audited() {
    const auto now = data.read();
    service_cut cut{};
    for (const auto s : all_services) cut[static_cast<std::size_t>(s)] = now.get();
    return audit(cut);
  }

  asked place(std::optional<std::string> phone_number = phone, std::int64_t qty = 2) {
    asked a;
    caf::anon_send(placing, place_order{{7, "Coffee", qty, 9'000, "card"}, std::move(phone_number)},
                   request_of(a));
    return a;
  }

  entity_id placed(std::optional<std::string> phone_number = phone, std::int64_t qty = 2) {
    const auto a = place(std::move(phone_number), qty);
    settle();
    EXPECT_EQ(a.word(), "created v1");
    return a.id();
  }

  asked pay(entity_id id) {
    update_payment u;
    u.target = payment_status::paid;
    return tell(payments, id, u);
  }

  asked move(entity_id id, delivery_status to) {
    return tell(deliveries, id, move_delivery{to, {}});
  }

  std::int64_t stamps_of(const std::string& number) {
    return stored_state<stamp_state>(service::stamp, account_id_of(number)).stamp_qty;
  }
  std::string trace_of(entity_id id) {
    return std::string(word_of(stored_state<order_trace>(service::ordertrace, id).status));
  }
  delivery_status delivery_of(entity_id id) {
    return stored_state<delivery_state>(service::delivery, id).status;
  }
  payment_state payment_of(entity_id id) {
    return stored_state<payment_state>(service::payment, id);
  }

  /// How many events of a type one entity has had.
  std::ptrdiff_t events_of(service s, entity_id id, std::string_view type) {
    std::ptrdiff_t n = 0;
    for (const auto& e : data.read()->events(s, 1, 100'000))
      n += order_of(e.body) == id && event_type_of(e.body) == type;
    return n;
  }

  bool shared_journal = true;
  std::size_t batch = 5;  ///< Of the consumers: small, so that there are many of them.
  order_region_actor orders;
  payment_region_actor payments;
  delivery_region_actor deliveries;
  stamp_region_actor stamps;
  checkout_actor placing;
  supervisor_actor supervising;
  breaker_display breaker;

 private:
  template <class Rules>
  region_actor<typename Rules::command> region_of() {
    return running(system.spawn<region<Rules>>(env(Rules::of), region_limits{}));
  }
  template <class Handle>
  Handle running(Handle a) {
    node_.push_back(caf::actor_cast<caf::actor>(a));
    return keep(a);
  }
  event_log_actor& log(service s) { return logs_[static_cast<std::size_t>(s)]; }

  std::array<event_log_actor, service_count> logs_;
  std::vector<caf::actor> node_;
};

// --- The main way, and the ways back
// ---------------------------------------------------------------

TEST_F(saga_test, an_order_is_paid_made_delivered_and_closed) {
  start_node();
  settle();
  const auto id = placed();
  EXPECT_EQ(pay(id).word(), "waiting");
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(trace_of(id), "PAY END");
  for (const auto to : {delivery_status::ready, delivery_status::started, delivery_status::ended}) {
    move(id, to);
    catch_up();
  }
  EXPECT_EQ(trace_of(id), "DELIVERY END");
  EXPECT_TRUE(stored_state<order_state>(service::order, id).delivered);
  EXPECT_TRUE(payment_of(id).closed);
  const auto cancelled = tell(orders, id, cancel_order{});
  const auto payment_cancelled = tell(payments, id, cancel_payment{});
  settle();
  EXPECT_EQ(cancelled.word(), "already-delivered");
  EXPECT_EQ(payment_cancelled.word(), "already-delivered");
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

TEST_F(saga_test, cancelling_a_paid_order_gives_back_money_and_stamps_and_stops_the_delivery) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  tell(orders, id, cancel_order{});
  catch_up();
  EXPECT_TRUE(payment_of(id).refunded);
  EXPECT_EQ(delivery_of(id), delivery_status::cancelled);
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_EQ(trace_of(id), "ORDER CANCEL");
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

TEST_F(saga_test, cancelling_a_payment_stops_the_delivery_and_leaves_the_order) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  EXPECT_EQ(tell(payments, id, cancel_payment{}).word(), "waiting");
  catch_up();
  EXPECT_TRUE(payment_of(id).refunded);
  EXPECT_EQ(delivery_of(id), delivery_status::cancelled);
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_EQ(trace_of(id), "DELIVERY CANCEL");
  EXPECT_EQ(stored_state<order_state>(service::order, id).status, order_status::complete);
  const auto paid_again = pay(id);
  const auto cancelled = tell(orders, id, cancel_order{});
  settle();
  EXPECT_EQ(paid_again.word(), "already-cancelled");
  EXPECT_EQ(cancelled.word(), "changed v2");
  catch_up();
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

TEST_F(saga_test, a_cancel_that_was_accepted_wins_over_a_delivery_that_ends_at_that_moment) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  move(id, delivery_status::ready);
  move(id, delivery_status::started);
  settle();
  const auto ended = move(id, delivery_status::ended);
  const auto cancelled = tell(orders, id, cancel_order{});
  settle();
  EXPECT_EQ(ended.word().substr(0, 7), "changed");
  EXPECT_EQ(cancelled.word().substr(0, 7), "changed");
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::ended);
  EXPECT_TRUE(payment_of(id).refunded);
  EXPECT_EQ(trace_of(id), "ORDER CANCEL");
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_TRUE(audited().sound()) << audited().to_json();
}

// --- The original's defects
// -------------------------------------------------------------------------

TEST_F(saga_test, defect_of_the_original_cancelling_what_was_paid_makes_no_second_delivery) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  tell(orders, id, cancel_order{});
  catch_up();
  EXPECT_EQ(events_of(service::payment, id, "Paid"), 1);
  EXPECT_EQ(events_of(service::delivery, id, "DeliveryPrepared"), 1);
  EXPECT_EQ(events_of(service::payment, id, "PayCancelled"), 1);
}

TEST_F(saga_test, defect_of_the_original_cancelling_earns_no_stamps_again) {
  start_node();
  settle();
  tell(stamps, account_id_of(phone), add_stamps{10});
  const auto id = placed(phone, 3);
  pay(id);
  catch_up();
  EXPECT_EQ(stamps_of(phone), 13);
  tell(payments, id, cancel_payment{});
  catch_up();
  EXPECT_EQ(stamps_of(phone), 10);
}

TEST_F(saga_test, defect_of_the_original_a_cancel_finds_the_delivery_of_its_own_order) {
  start_node();
  settle();
  // Payments in another order than their orders: numbers of rows would not agree.
  const auto first = placed(), second = placed(), third = placed();
  for (const auto id : {third, first, second}) {
    pay(id);
    catch_up();
  }
  tell(orders, second, cancel_order{});
  catch_up();
  EXPECT_EQ(delivery_of(first), delivery_status::preparing);
  EXPECT_EQ(delivery_of(second), delivery_status::cancelled);
  EXPECT_EQ(delivery_of(third), delivery_status::preparing);
}

TEST_F(saga_test, defect_of_the_original_a_cancelled_order_keeps_its_history) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  catch_up();
  tell(orders, id, cancel_order{});
  catch_up();
  EXPECT_TRUE(data.read()->listed_entity(service::order, id));
  const auto history =
      data.read()->rows(service::ordertrace, row_space::rows, history_prefix(id), {}, 100);
  EXPECT_EQ(history.size(), 7U);
}

TEST_F(saga_test, defect_of_the_original_a_crash_between_commit_and_publish_loses_no_event) {
  start_node();
  settle();
  const auto id = placed();
  pay(id);
  run();
  while (events_of(service::payment, id, "Paid") == 0) disk.turn(1);
  crash_node();
  start_node();
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(trace_of(id), "PAY END");
}

TEST_F(saga_test, defect_of_the_original_a_rolled_back_change_publishes_nothing) {
  start_node();
  settle();
  const auto id = placed();
  catch_up();
  data.inject({.name = "rolled back", .when = [](const commit& c) {
                 return c.of == service::payment && !c.changes.empty();
               }});
  const auto failed = pay(id);
  catch_up();
  EXPECT_EQ(failed.word(), "store-failed");
  EXPECT_EQ(delivery_of(id), delivery_status::none);
  EXPECT_EQ(stamps_of(phone), 0);
  EXPECT_EQ(trace_of(id), "Order END");
}

// --- One part down
// ------------------------------------------------------------------------------------

TEST_F(saga_test, payment_waits_neither_for_stamps_nor_for_the_kitchen) {
  start_node();
  settle();
  const auto is_of_a_follower = [](const commit& c) {
    return c.of == service::stamp || c.of == service::delivery;
  };
  data.inject({.name = "down",
               .code = errc::conflicting_commit,
               .times = 1'000'000,
               .when = is_of_a_follower});
  const auto id = placed();
  const auto paid_one = pay(id);
  settle();
  EXPECT_EQ(paid_one.word(), "changed v2");
  advance(seconds(30));
  EXPECT_EQ(stamps_of(phone), 0);
  data.heal();
  catch_up();
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
}

// Its log got no hint, and every follower stood still until the next event.
TEST_F(saga_test, what_was_stored_though_its_outcome_is_unknown_reaches_its_followers) {
  start_node();
  settle();
  const auto id = placed();
  catch_up();
  data.inject({.name = "unknown",
               .at = fault_point::after_write,
               .code = errc::outcome_unknown,
               .when = [](const commit& c) { return c.of == service::payment; }});
  const auto unknown = pay(id);
  settle();
  EXPECT_EQ(unknown.word(), "outcome-unknown");
  catch_up();
  EXPECT_EQ(delivery_of(id), delivery_status::preparing);
  EXPECT_EQ(stamps_of(phone), 2);
  EXPECT_EQ(trace_of(id), "PAY END");
}

// --- Any client, any fault, any crash
// --------------------------------------------------------------------

class random_saga_test : public saga_test {
 protected:
  int crashes_left = 20;

  void live_through(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::int64_t below) {
      return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random);
    };
    const std::vector<std::string> phones = {"01012341234", "01056785678"};
    std::vector<asked> placings;
    std::map<entity_id, int> acknowledged;
    std::vector<std::pair<entity_id, asked>> payings;
    start_node();
    settle();
    for (int step = 0; step < 150; ++step) {
      const entity_id id = 1 + pick(static_cast<std::int64_t>(placings.size()) + 1);
      switch (pick(16)) {
        case 0:
        case 1:
        case 2:
          placings.push_back(place(pick(3) == 0
                                       ? std::nullopt
                                       : std::optional(phones[static_cast<std::size_t>(pick(2))]),
                                   1 + pick(5)));
          break;
        case 3:
        case 4: payings.emplace_back(id, pay(id)); break;
        case 5: tell(orders, id, cancel_order{}); break;
        case 6: tell(payments, id, cancel_payment{}); break;
        case 7:
        case 8: move(id, static_cast<delivery_status>(1 + pick(5))); break;
        case 9:
          tell(stamps, account_id_of(phones[static_cast<std::size_t>(pick(2))]),
               add_stamps{pick(9) - 4});
          break;
        case 10: run(); break;
        case 11: disk.turn(static_cast<std::size_t>(1 + pick(4))); break;
        case 12: settle(); break;
        case 13: advance(milliseconds(5 + pick(100)), pick(2) == 0); break;
        case 14: {
          constexpr std::array points = {fault_point::before_write, fault_point::after_write};
          constexpr std::array codes = {errc::store_full, errc::store_failed, errc::outcome_unknown,
                                        errc::conflicting_commit};
          const auto at = points[static_cast<std::size_t>(pick(2))];
          const auto code = at == fault_point::after_write
                                ? errc::outcome_unknown
                                : codes[static_cast<std::size_t>(pick(4))];
          data.inject({.name = "random",
                       .at = at,
                       .code = code,
                       .times = static_cast<std::size_t>(1 + pick(3))});
          break;
        }
        default:
          if (pick(4) != 0 || crashes_left-- <= 0) break;
          run();
          disk.turn(static_cast<std::size_t>(pick(3)));
          crash_node();
          start_node();
      }
    }
    data.heal();
    catch_up();
    const auto report = audited();
    ASSERT_TRUE(idle()) << "a consumer stands still: " << report.to_json();
    EXPECT_TRUE(report.sound()) << report.to_json();
    EXPECT_EQ(report.pending, 0);
    // 7: what was acknowledged is there.
    for (const auto& p : placings) {
      if (!p.word().starts_with("created")) continue;
      const auto order = stored_state<order_state>(service::order, p.id());
      EXPECT_TRUE(order_rules::listed(order)) << p.id();
    }
    for (const auto& [id, p] : payings) {
      if (!p.word().starts_with("changed")) continue;
      EXPECT_EQ(events_of(service::payment, id, "Paid"), 1) << id;
    }
  }
};

TEST_F(random_saga_test, whatever_clients_faults_and_crashes_do_the_audit_is_sound) {
  const auto seed = seed_of_this_run();
  SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed));
  live_through(seed);
}

TEST_F(random_saga_test, the_same_with_a_journal_for_each_service) {
  const auto seed = seed_of_this_run();
  SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed));
  shared_journal = false;
  batch = 500;  // with a journal for each, a crash leaves whole blocks of ids to reject
  crashes_left = 2;
  live_through(seed);
}

}  // namespace
}  // namespace skanu
