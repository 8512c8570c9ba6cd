// Services on two nodes: the stand-ins answer like the services themselves.
#include "cluster/peers/remote.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "actors/consumers/event_log.hpp"
#include "actors/consumers/policies.hpp"
#include "actors/rules/delivery_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "tests/support/scripted_log.hpp"
#include "tests/support/two_nodes.hpp"

namespace skanu {
namespace {

/// Runs every service on node b; node a has the stand-ins.
class remote_test : public two_nodes_test {
 protected:
  remote_test() : a(node("a")), b(node("b")) {
    auto& here = b.here;
    here.entities.of<order_command>() =
        start<region<order_rules>>(env(service::order), region_limits{});
    here.entities.of<payment_command>() =
        start<region<payment_rules>>(env(service::payment), region_limits{});
    here.entities.of<delivery_command>() =
        start<region<delivery_rules>>(env(service::delivery), region_limits{});
    here.entities.of<stamp_command>() =
        start<region<stamp_rules>>(env(service::stamp), region_limits{});
    for (const auto s : {service::order, service::payment, service::delivery, service::stamp}) {
      auto& log = here.logs[static_cast<std::size_t>(s)];
      log = keep(system.spawn(event_log, &env(s), s));
      hint_to(s, log);
      here.stores[static_cast<std::size_t>(s)] = &data;
    }
    here.checkout = keep(system.spawn<checkout>(
        env(service::order), here.entities.of<order_command>(), here.entities.of<payment_command>(),
        faults, breaker, recover_ids(*data.read(), false), checkout_limits{}));
    here.breaker = &breaker;
  }

  void connect() {
    add_peer(b, "a", "");
    add_peer(a, "b", "b");
    ASSERT_TRUE(up(a, "b"));
    settle();
  }

  const rpc_client_actor& through() { return a.peers.at("b")->rpc_client; }

  template <class Command>
  region_actor<Command> stand_in() {
    return keep(system.spawn(remote_region<Command>, through()));
  }

  /// The answer to a pull; nullopt after an error.
  std::optional<event_batch> pull(const event_log_actor& log, log_query query) {
    caf::scoped_actor self{system};
    auto pulled = self->request(log, caf::infinite, pull_atom::value, std::move(query));
    run();
    std::optional<event_batch> batch;
    pulled.receive([&](const event_batch& pulled_batch) { batch = pulled_batch; },
                   [](caf::error&) {});
    return batch;
  }

  /// Reads like a thread of the front. The actors run as soon as the read's message is queued, so
  /// that the blocking read finds its answer at once.
  template <class Read>
  auto read_there(Read read) {
    auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
    scheduler.after_next_enqueue([this] { run(); });
    return read(*remote_reading(through()));
  }

  node_side& a;
  node_side& b;
  breaker_display breaker;
};

TEST_F(remote_test, commands_are_decided_there_and_answered_here) {
  connect();
  const auto payments = stand_in<payment_command>();
  const auto opened = tell(payments, 42, open_payment{coffee, coffee_order.phone_number});
  run();
  EXPECT_TRUE(opened.waiting()) << "it is not durable yet";
  settle();
  EXPECT_EQ(opened.word(), "created v1");
  EXPECT_EQ(opened.document(), stored(service::payment, 42));
  const auto deliveries = stand_in<delivery_command>();
  const auto stamps = stand_in<stamp_command>();
  const auto orders = stand_in<order_command>();
  const auto missing = tell(orders, 7, cancel_order{});
  const auto prepared = tell(deliveries, 42, prepare_delivery{7, "Coffee", 2});
  const auto earned = tell(stamps, account_id_of("01012341234"), earn_stamps{42, 2});
  settle();
  EXPECT_EQ(missing.word(), "not-found");
  EXPECT_EQ(prepared.word(), "created v1");
  EXPECT_EQ(earned.word(), "created v1");
}

TEST_F(remote_test, an_order_is_placed_there) {
  connect();
  const auto placing = keep(system.spawn(remote_checkout, through()));
  asked placed;
  caf::anon_send(placing, coffee_order, request_of(placed, under_key(1)));
  settle();
  EXPECT_EQ(placed.word(), "created v1");
  EXPECT_EQ(stored_state<payment_state>(service::payment, placed.id()).status,
            payment_status::not_paid);
}

TEST_F(remote_test, a_repeat_under_the_same_key_is_the_same_order_there) {
  connect();
  const auto placing = keep(system.spawn(remote_checkout, through()));
  asked first, again, other;
  caf::anon_send(placing, coffee_order, request_of(first, under_key(1)));
  settle();
  caf::anon_send(placing, coffee_order, request_of(again, under_key(1)));
  caf::anon_send(placing, coffee_order, request_of(other, under_key(1, 2)));
  settle();
  EXPECT_EQ(again.id(), first.id());
  EXPECT_EQ(other.word(), "operation-reused");
}

TEST_F(remote_test, a_condition_on_the_version_holds_there) {
  connect();
  const auto payments = stand_in<payment_command>();
  tell(payments, 42, open_payment{coffee, {}});
  settle();
  conditions at_another;
  at_another.condition = version_condition{false, {7}};
  const auto refused = tell(payments, 42, cancel_payment{}, at_another);
  settle();
  EXPECT_EQ(refused.word(), "version-mismatch");
}

TEST_F(remote_test, a_service_that_is_away_is_said_to_be) {
  add_peer(a, "b", "");
  const auto payments = stand_in<payment_command>();
  const auto waits = tell(payments, 42, cancel_payment{});
  advance(milliseconds(1'900));
  EXPECT_TRUE(waits.waiting());
  advance(milliseconds(150));
  EXPECT_EQ(waits.word(), "service-away");
}

TEST_F(remote_test, a_command_to_a_caller_that_is_gone_is_answered) {
  add_peer(a, "b", "");
  const auto payments = stand_in<payment_command>();
  caf::anon_send_exit(through(), caf::exit_reason::user_shutdown);
  run();
  const auto c = tell(payments, 42, cancel_payment{});
  run();
  EXPECT_EQ(c.word(), "entity-failed");
}

TEST_F(remote_test, a_log_is_pulled_from_there_and_followers_here_are_told_when_it_grows) {
  connect();
  const auto log = keep(system.spawn(remote_log, through(), service::payment));
  int hints = 0;
  const auto follower = keep(system.spawn(counting_follower, &hints));
  caf::anon_send(log, follow_atom::value, follower);
  run();
  hints = 0;
  const auto payments = stand_in<payment_command>();
  tell(payments, 42, open_payment{coffee, {}});
  settle();
  EXPECT_EQ(hints, 1);
  const auto batch = pull(log, {1, 10, {}});
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->events.size(), 1U);
  EXPECT_EQ(event_type_of(batch->events[0].body), "PaymentRequested");
  EXPECT_EQ(batch->next, 2);
  tell(payments, 43, open_payment{coffee, {}});
  settle();
  EXPECT_EQ(hints, 2);
}

TEST_F(remote_test, followers_are_told_when_the_connection_is_back) {
  connect();
  const auto log = keep(system.spawn(remote_log, through(), service::payment));
  int hints = 0;
  const auto follower = keep(system.spawn(counting_follower, &hints));
  caf::anon_send(log, follow_atom::value, follower);
  run();
  between.cut = true;
  hints = 0;
  tell(b.here.entities.of<payment_command>(), 42, open_payment{coffee, {}});
  advance(milliseconds(1'900));
  EXPECT_EQ(hints, 0);
  between.cut = false;
  advance(milliseconds(300));
  EXPECT_GE(hints, 1);
}

TEST_F(remote_test, reads_show_what_is_stored_there) {
  connect();
  for (entity_id id = 1; id <= 3; ++id)
    tell(b.here.entities.of<payment_command>(), id, open_payment{coffee, {}});
  settle();
  const auto document =
      read_there([](const reading& r) { return r.listed_entity(service::payment, 2); });
  EXPECT_EQ(document, stored(service::payment, 2));
  const auto none =
      read_there([](const reading& r) { return r.listed_entity(service::payment, 9); });
  EXPECT_EQ(none, std::nullopt);
  const auto page = read_there(
      [](const reading& r) { return r.page(service::payment, {.size = 2, .descending = true}); });
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].id, 3);
  EXPECT_EQ(page.items[0].document, stored(service::payment, 3));
  EXPECT_EQ(page.total, 3);
  EXPECT_EQ(page.next_after, 2);
  EXPECT_EQ(page.prev_after, std::nullopt);
  EXPECT_EQ(page.last_after, 2);
  EXPECT_EQ(read_there([](const reading& r) { return r.rows_page(service::payment, 9, "", {}); }),
            std::nullopt);
}

TEST_F(remote_test, a_page_of_rows_is_read_there_with_what_they_are_of) {
  connect();
  const auto account = account_id_of("01012341234");
  for (entity_id payment = 1; payment <= 3; ++payment)
    tell(b.here.entities.of<stamp_command>(), account, earn_stamps{payment, payment});
  settle();
  const auto prefix = stamp_rules::ledger_prefix(account);
  const auto all = data.read()->rows(service::stamp, row_space::rows, prefix, "", 10);
  ASSERT_EQ(all.size(), 3U);
  const auto rows = read_there([&](const reading& r) {
    return r.rows_page(service::stamp, account, prefix, {.after = 1, .size = 1});
  });
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->items.size(), 1U);
  EXPECT_EQ(rows->items[0].id, 2);
  EXPECT_EQ(rows->items[0].document, all[1].value);
  EXPECT_EQ(rows->total, 3);
  EXPECT_EQ(rows->next_after, 2);
  EXPECT_EQ(rows->prev_after, 0);
  EXPECT_EQ(rows->last_after, 2);
}

// One call reads a page at one moment, within one deadline.
TEST_F(remote_test, a_page_is_one_call) {
  connect();
  int calls_sent = 0;
  between.loses = [&](const caf::message& m) {
    calls_sent += m.match_element<call_atom>(0);
    return false;
  };
  read_there([](const reading& r) { return r.page(service::payment, {.after = 1, .size = 1}); });
  EXPECT_EQ(calls_sent, 1);
  read_there([](const reading& r) { return r.rows_page(service::stamp, 1, "", {.number = 1}); });
  EXPECT_EQ(calls_sent, 2);
}

// An answer of the wrong kind leaves the outcome unknown: "not carried out" could be false.
TEST_F(remote_test, an_answer_of_the_wrong_kind_leaves_a_change_unknown) {
  std::vector<received_call> calls;
  const auto calling = start<rpc_client>("payment");
  const auto peer = keep(system.spawn(scripted_servant, &calls));
  caf::anon_send(calling, peer_arrived{{{}, {}, peer}});
  const auto payments = keep(system.spawn(remote_region<payment_command>, calling));
  const auto c = tell(payments, 42, cancel_payment{});
  run();
  caf::send_as(peer, calling, reply_atom::value, calls.at(0).number, encode(stored_page{}));
  run();
  EXPECT_EQ(c.word(), "outcome-unknown");
}

TEST_F(remote_test, a_read_of_a_service_that_is_away_throws_so) {
  add_peer(a, "b", "");
  advance(milliseconds(2'100));
  const auto why = read_there([](const reading& r) {
    try {
      r.page(service::payment, {});
    } catch (const store_error& e) {
      return std::string(name_of(e.code()));
    }
    return std::string("nothing");
  });
  EXPECT_EQ(why, "service-away");
}

// --- The saga over two nodes -------------------------------------------------------------------

/// Orders run on node a, all other services on node b; each node has only stand-ins of the other's
/// services.
class split_saga_test : public two_nodes_test {
 protected:
  split_saga_test() : a(node("a")), b(node("b")) {}

  void connect() {
    for (const auto s : {service::order, service::payment}) {
      log_of_service(s) = keep(system.spawn(event_log, &env(s), s));
      hint_to(s, log_of_service(s));
    }
    a.here.entities.of<order_command>() =
        start<region<order_rules>>(env(service::order), region_limits{});
    a.here.logs[0] = log_of_service(service::order);
    b.here.entities.of<payment_command>() =
        start<region<payment_rules>>(env(service::payment), region_limits{});
    b.here.logs[1] = log_of_service(service::payment);
    add_peer(b, "a", "a");
    add_peer(a, "b", "b");
    const auto payments =
        keep(system.spawn(remote_region<payment_command>, a.peers.at("b")->rpc_client));
    placing = start<checkout>(env(service::order), a.here.entities.of<order_command>(), payments,
                              faults, breaker, recover_ids(*data.read(), false), checkout_limits{});
    const auto orders_log =
        keep(system.spawn(remote_log, b.peers.at("a")->rpc_client, service::order));
    for (auto& p : policies_of(service::payment, b.here.entities.of<payment_command>()))
      if (p.who.follows == service::order)
        start<policy>(env(p.who.of), p, orders_log, faults, consumer_limits{});
    settle();
  }

  asked place(unsigned char key) {
    asked placed;
    caf::anon_send(placing, coffee_order, request_of(placed, under_key(key)));
    settle();
    return placed;
  }

  std::ptrdiff_t events_in(service s, std::string_view type) {
    const auto log = log_of(s);
    return std::count(log.begin(), log.end(), type);
  }

  payment_status payment(entity_id id) {
    return stored_state<payment_state>(service::payment, id).status;
  }

  node_side& a;
  node_side& b;
  checkout_actor placing;
  breaker_display breaker;

 private:
  event_log_actor& log_of_service(service s) { return logs_[static_cast<std::size_t>(s)]; }
  std::array<event_log_actor, service_count> logs_;
};

TEST_F(split_saga_test, an_order_placed_on_one_node_opens_its_payment_on_the_other) {
  connect();
  const auto placed = place(1);
  EXPECT_EQ(placed.word(), "created v1");
  EXPECT_EQ(payment(placed.id()), payment_status::not_paid);
}

TEST_F(split_saga_test, a_cancel_reaches_the_payment_over_the_orders_log) {
  connect();
  const auto placed = place(1);
  tell(a.here.entities.of<order_command>(), placed.id(), cancel_order{});
  advance(milliseconds(200));
  EXPECT_EQ(payment(placed.id()), payment_status::cancelled);
}

TEST_F(split_saga_test, a_cancel_while_the_other_node_was_away_reaches_it_afterwards) {
  connect();
  const auto placed = place(1);
  between.cut = true;
  tell(a.here.entities.of<order_command>(), placed.id(), cancel_order{});
  advance(seconds(10));
  EXPECT_EQ(payment(placed.id()), payment_status::not_paid);
  between.cut = false;
  advance(seconds(3));
  EXPECT_EQ(payment(placed.id()), payment_status::cancelled);
}

TEST_F(split_saga_test, a_lost_answer_doubles_nothing) {
  connect();
  int lost = 0;
  between.loses = [&](const caf::message& m) {
    return m.match_element<reply_atom>(0) && lost++ == 0;
  };
  const auto placed = place(1);
  EXPECT_TRUE(placed.waiting());
  EXPECT_EQ(events_in(service::payment, "PaymentRequested"), 1);
  advance(seconds(1));
  EXPECT_EQ(placed.word(), "created v1") << "placement asked again";
  EXPECT_GT(lost, 1);
  EXPECT_EQ(events_in(service::payment, "PaymentRequested"), 1);
  EXPECT_EQ(events_in(service::order, "Ordered"), 1);
}

TEST_F(split_saga_test, a_connection_that_ends_in_between_doubles_nothing) {
  connect();
  int lost = 0;
  between.loses = [&](const caf::message& m) {
    return m.match_element<reply_atom>(0) && lost++ == 0;
  };
  const auto placed = place(1);
  between.close();
  advance(milliseconds(400));
  EXPECT_EQ(placed.word(), "created v1") << "sent again over the new connection";
  EXPECT_EQ(events_in(service::payment, "PaymentRequested"), 1);
  EXPECT_EQ(events_in(service::order, "Ordered"), 1);
}

TEST_F(split_saga_test, an_order_whose_payment_is_away_is_refused_and_leaves_no_orphan) {
  connect();
  between.cut = true;
  const auto placed = place(1);
  advance(milliseconds(2'200));
  EXPECT_EQ(placed.word(), "payment-unavailable");
  between.cut = false;
  advance(seconds(5));
  EXPECT_EQ(events_in(service::order, "OrderRejected"), 1);
  EXPECT_EQ(events_in(service::order, "Ordered"), 0);
  EXPECT_EQ(events_in(service::payment, "PaymentRequested"), 0);
  EXPECT_EQ(events_in(service::payment, "PaymentRejected"), 1);
  EXPECT_EQ(place(2).word(), "created v1");
}

}  // namespace
}  // namespace skanu
