// The trace view: any order of logs, the history, restarts midway.
#include "persistence/log/log_lineage.hpp"
#include "persistence/log/log_position.hpp"
#include "tests/actors/consumers/trace_view_fixture.hpp"

namespace skanu {
namespace {

TEST_F(trace_view_test, shows_the_highest_step_of_all_logs) {
  start_view();
  happen(service::order, {placed(1), placed(2)});
  catch_up();
  EXPECT_EQ(status_of(1), "Order END");
  happen(service::payment, {payment_event_of(1)});
  catch_up();
  EXPECT_EQ(status_of(1), "PAY END");
  happen(service::delivery, {delivery_event_of(1)});
  happen(service::order, {cancelled(2)});
  catch_up();
  EXPECT_EQ(status_of(1), "DELIVERY READY");
  EXPECT_EQ(status_of(2), "ORDER CANCEL");
}

TEST_F(trace_view_test, any_order_of_the_logs_ends_in_the_same_trace) {
  std::vector<int> order = {0, 1, 2, 3};
  entity_id id = 10;
  do {
    ++id;
    for (const int step : order) {
      if (step == 0) happen(service::order, {placed(id)});
      if (step == 1) happen(service::payment, {payment_event_of(id)});
      if (step == 2) happen(service::delivery, {delivery_event_of(id)});
      if (step == 3 && id % 2 == 0) happen(service::payment, {payment_event_of(id + 1'000)});
    }
  } while (std::next_permutation(order.begin(), order.end()));
  start_view();
  catch_up();
  for (entity_id i = 11; i <= id; ++i) {
    const auto found = stored_state<order_trace>(service::ordertrace, i);
    EXPECT_TRUE(found.times.changed_at);
    EXPECT_EQ(found, (order_trace{i, i, 7, "Coffee", 2, 9'000, trace_status::delivery_ready, true,
                                  found.times}));
  }
}

TEST_F(trace_view_test, its_own_log_tells_each_change_of_what_is_shown_once) {
  start_view();
  happen(service::payment, {payment_event_of(1)});
  catch_up();
  EXPECT_EQ(log_of(service::ordertrace), std::vector<std::string>{}) << "not shown yet";
  happen(service::order, {placed(1), placed(2)});
  catch_up();
  happen(service::payment, {payment_event_of(1)});  // a repeat without effect
  happen(service::order, {cancelled(2)});
  catch_up();
  std::vector<std::string> told;
  for (const auto& e : data.read()->events(service::ordertrace, 1, 100)) {
    const auto body = nlohmann::json::parse(e.body);
    told.push_back(body.at("eventType").get<std::string>() + " " + body.at("id").dump() + " " +
                   body.at("status").get<std::string>() + " " +
                   body.at("timestamp").get<std::string>());
  }
  EXPECT_EQ(told, (std::vector<std::string>{"TraceChanged 1 PAY END " + noon,
                                            "TraceChanged 2 Order END " + noon,
                                            "TraceChanged 2 ORDER CANCEL " + noon}));
}

TEST_F(trace_view_test, a_trace_appears_once_its_order_is_seen) {
  start_view();
  happen(service::payment, {payment_event_of(1)});
  catch_up();
  EXPECT_FALSE(shown(1));
  EXPECT_EQ(data.read()->count(service::ordertrace, std::nullopt), 0);
  happen(service::order, {placed(1)});
  catch_up();
  EXPECT_TRUE(shown(1));
  EXPECT_EQ(status_of(1), "PAY END");
  EXPECT_EQ(data.read()->count(service::ordertrace, std::nullopt), 1);
}

TEST_F(trace_view_test, keeps_the_whole_history_in_the_order_in_which_it_saw_it) {
  start_view();
  happen(service::payment, {payment_event_of(2), payment_event_of(1)});
  catch_up();
  happen(service::order, {placed(1), placed(2), cancelled(1)});
  catch_up();
  EXPECT_EQ(history_of(1), (std::vector<std::string>{"payment 2 Paid", "order 1 Ordered",
                                                     "order 3 OrderCancelled"}));
}

TEST_F(trace_view_test, a_turn_is_one_commit) {
  happen(service::order, {placed(1), placed(2), cancelled(1)});
  happen(service::payment, {payment_event_of(1)});
  start_view();
  ASSERT_EQ(disk.waiting().size(), 1U);
  EXPECT_EQ(disk.waiting().front().data.changes.size(), 2U);
  disk.lose_everything();
  kill_view();
  EXPECT_EQ(status_of(1), "");
  EXPECT_TRUE(history_of(1).empty());
  start_view();
  catch_up();
  EXPECT_EQ(status_of(1), "ORDER CANCEL");
  EXPECT_EQ(history_of(1).size(), 3U) << "nothing twice, nothing lost";
}

TEST_F(trace_view_test, a_crash_at_any_turn_changes_nothing_of_the_outcome) {
  std::vector<std::string> orders, payments;
  for (entity_id id = 1; id <= 20; ++id) {
    orders.push_back(placed(id));
    payments.push_back(payment_event_of(id));
  }
  happen(service::order, orders);
  happen(service::payment, payments);
  for (int turn = 0; turn < 12; ++turn) {
    start_view(batches_of(3));
    if (turn % 3 != 0) disk.turn();
    kill_view();
    disk.lose_everything();
  }
  start_view(batches_of(3));
  advance(seconds(5));
  for (entity_id id = 1; id <= 20; ++id) {
    EXPECT_EQ(status_of(id), "PAY END") << id;
    EXPECT_EQ(history_of(id).size(), 2U) << id;
  }
}

TEST_F(trace_view_test, a_long_log_is_read_without_further_hints) {
  std::vector<std::string> many;
  for (entity_id id = 1; id <= 100; ++id) many.push_back(placed(id));
  happen(service::order, many);
  start_view(batches_of(7));
  advance(seconds(2));
  EXPECT_EQ(data.read()->count(service::ordertrace, std::nullopt), 100);
}

TEST_F(trace_view_test, an_event_that_cannot_be_read_is_set_aside) {
  start_view();
  happen(service::order,
         {placed(1), R"({"eventType":"Ordered","schema":1})",
          R"({"eventType":"Ordered","schema":1,"version":1,"id":2,"qty":"x"})", placed(3)});
  catch_up();
  EXPECT_TRUE(shown(1));
  EXPECT_TRUE(shown(3));
  EXPECT_FALSE(shown(2));
  const auto letters =
      data.read()->rows(service::ordertrace, row_space::dead_letters,
                        dead_letter_prefix(trace_consumer(service::order).name), {}, 10);
  EXPECT_EQ(letters.size(), 2U);
  EXPECT_EQ(metrics.of(service::ordertrace).dead_letters, 2);
}

// The view must not show an order's later events while an earlier event is missing.
TEST_F(trace_view_test, a_dead_letter_parks_the_later_events_of_its_order) {
  start_view();
  happen(service::order, {R"({"eventType":"Ordered","schema":1,"version":1,"id":1,"qty":"x"})"});
  catch_up();
  happen(service::payment, {payment_event_of(1), payment_event_of(2)});
  catch_up();
  kill_view();
  start_view();
  happen(service::delivery, {delivery_event_of(1), delivery_event_of(2)});
  catch_up();
  EXPECT_EQ(history_of(1), std::vector<std::string>{});
  EXPECT_EQ(history_of(2).size(), 2U);
  for (const auto s : followed)
    EXPECT_EQ(data.read()
                  ->rows(service::ordertrace, row_space::dead_letters,
                         dead_letter_prefix(trace_consumer(s).name), {}, 10)
                  .size(),
              1U)
        << name_of(s);
}

TEST_F(trace_view_test, a_discarded_letter_lets_the_later_events_of_its_order_go_on) {
  start_view();
  happen(service::order, {R"({"eventType":"Ordered","schema":1,"version":1,"id":1,"qty":"x"})"});
  catch_up();
  happen(service::payment, {payment_event_of(1)});
  happen(service::order, {cancelled(1)});
  happen(service::delivery, {delivery_event_of(1)});
  catch_up();
  const std::string name(trace_consumer(service::order).name);
  const auto tell = [&](dead_letter_command what) {
    asked a;
    caf::anon_send(view, std::move(what), request_of(a));
    catch_up();
    return a.word();
  };
  EXPECT_EQ(tell({{name, 1, 2}, false}), "not-allowed") << "it waits behind the first";
  EXPECT_EQ(tell({{name, 1, 1}, false}), "not-allowed") << "it still cannot be read";
  EXPECT_EQ(history_of(1).size(), 0U);
  EXPECT_EQ(tell({{name, 1, 1}, true}), "unchanged v0");
  EXPECT_EQ(history_of(1), (std::vector<std::string>{"order 2 OrderCancelled", "payment 1 Paid",
                                                     "delivery 1 DeliveryReady"}));
  happen(service::payment, {payment_event_of(1)});
  catch_up();
  EXPECT_EQ(history_of(1).size(), 4U) << "its order is free again";
  EXPECT_EQ(tell({{name, 1, 1}, true}), "not-found");
}

// An older program could not read the event and wrote the letter; the present program can.
TEST_F(trace_view_test, a_replayed_letter_stands_in_the_history_once) {
  commit old{.of = service::ordertrace};
  const std::string name(trace_consumer(service::order).name);
  const dead_letter letter{name, "order", 1, 1, 1, "a test's", noon, placed(1)};
  old.rows = {{row_space::dead_letters, dead_letter_prefix(name) + ordered_key(1) + ordered_key(1),
               to_json(letter)},
              {row_space::meta, position_key(name), "1"}};
  write_commit(data, old);
  append_events(data, service::order, {placed(1)});
  start_view();
  catch_up();
  EXPECT_FALSE(shown(1));
  for (const auto* word : {"unchanged v0", "not-found"}) {
    asked a;
    caf::anon_send(view, dead_letter_command{{name, 1, 1}, false}, request_of(a));
    catch_up();
    EXPECT_EQ(a.word(), word);
  }
  EXPECT_TRUE(shown(1));
  EXPECT_EQ(history_of(1), std::vector<std::string>{"order 1 Ordered"});
}

// The letter of the order's log waits behind a letter of the payment's log: the order stays
// blocked.
TEST_F(trace_view_test, a_letter_that_waits_behind_one_of_another_log_waits_on_after_a_restart) {
  commit old{.of = service::ordertrace};
  const auto put = [&](service s, log_offset at, int attempts, std::string event) {
    const std::string name(trace_consumer(s).name);
    old.rows.push_back({row_space::dead_letters,
                        dead_letter_prefix(name) + ordered_key(1) + ordered_key(at),
                        to_json(dead_letter{name, std::string(name_of(s)), at, 1, attempts,
                                            "a test's", noon, std::move(event)})});
  };
  put(service::order, 1, 0, placed(1));
  put(service::payment, 1, 3, payment_event_of(1));
  write_commit(data, old);
  start_view();
  catch_up();
  EXPECT_EQ(history_of(1), std::vector<std::string>{});
  asked a;
  caf::anon_send(
      view, dead_letter_command{{std::string(trace_consumer(service::payment).name), 1, 1}, false},
      request_of(a));
  catch_up();
  EXPECT_EQ(a.word(), "unchanged v0");
  EXPECT_EQ(history_of(1), (std::vector<std::string>{"payment 1 Paid", "order 1 Ordered"}));
}

// An unreadable stored trace must not fail every later turn, or the whole view stands still.
TEST_F(trace_view_test, a_damaged_trace_stops_nobody_elses) {
  commit damaged{.of = service::ordertrace};
  damaged.changes.push_back(
      {.id = 1,
       .expected = 0,
       .next = 1,
       .document = std::make_shared<const std::string>(
           R"({"type":"ordertrace","schema":1,"version":1,"data":{"status":7}})"),
       .status = 1,
       .listed = true});
  write_commit(data, damaged);
  start_view();
  happen(service::payment, {payment_event_of(1), payment_event_of(1)});
  happen(service::order, {placed(2)});
  catch_up();
  EXPECT_TRUE(shown(2));
}

TEST_F(trace_view_test, ends_where_its_turn_cannot_be_stored_so_that_it_begins_anew) {
  happen(service::order, {placed(1)});
  start_view();
  data.inject({.name = "full", .code = errc::store_full});
  caf::scoped_actor self{system};
  self->monitor(view);
  settle();
  bool gone = false;
  self->receive([&](const caf::down_msg&) { gone = true; }, caf::after(seconds(0)) >> [] {});
  EXPECT_TRUE(gone);
  start_view();
  catch_up();
  EXPECT_EQ(status_of(1), "Order END");
  EXPECT_EQ(history_of(1).size(), 1U);
}

TEST_F(trace_view_test, a_log_that_does_not_answer_holds_up_no_other) {
  int pulls = 0;
  logs[2].log = keep(system.spawn(silent_log, &pulls));
  consumer_limits limits;
  limits.pull_timeout = milliseconds(500);
  start_view(limits);
  happen(service::order, {placed(1)});
  advance(seconds(2));
  EXPECT_EQ(status_of(1), "Order END");
  advance(minutes(2));
  EXPECT_GE(pulls, 10);
  EXPECT_LE(pulls, 200) << "at a capped rate";
}

// The backoff for an absent log must not hold back hints of the other logs.
TEST_F(trace_view_test, the_backoff_of_one_log_delays_no_other) {
  logs[2].log = keep(system.spawn(silent_log, &ignored_pulls));
  consumer_limits limits;
  limits.pull_timeout = milliseconds(10);
  start_view(limits);
  advance(minutes(1));
  for (entity_id id = 1; id <= 5; ++id) {
    happen(service::order, {placed(id)});
    advance(milliseconds(100));
    EXPECT_TRUE(shown(id)) << id;
  }
}

// A silent log's position must not fall back to the log's start, or the view takes every event
// again.
TEST_F(trace_view_test, a_log_that_does_not_answer_after_a_restart_keeps_its_position) {
  happen(service::order, {placed(1)});
  happen(service::payment, {payment_event_of(1)});
  start_view();
  catch_up();
  kill_view();
  const auto payments = std::exchange(logs[1].log, keep(system.spawn(silent_log, &ignored_pulls)));
  consumer_limits limits;
  limits.pull_timeout = milliseconds(100);
  start_view(limits);
  happen(service::order, {cancelled(1)});
  advance(seconds(1));
  kill_view();
  logs[1].log = payments;
  start_view();
  catch_up();
  EXPECT_EQ(history_of(1), (std::vector<std::string>{"order 1 Ordered", "payment 1 Paid",
                                                     "order 2 OrderCancelled"}));
}

// A program without timelines stored the position. A turn with another log's events must not take
// over the payment log's timeline without storing the timeline: after a restart, a fork of the log
// would count as the same log.
TEST_F(trace_view_test, the_timeline_of_a_log_is_stored_with_its_first_move_beside_other_logs) {
  const auto consumer = trace_consumer(service::payment).name;
  write_rows(data, service::payment, {begin_timeline(*data.read(), service::payment)});
  happen(service::payment, {payment_event_of(1)});
  write_rows(data, service::ordertrace, {{row_space::meta, position_key(consumer), "1"}});
  start_view();
  happen(service::order, {placed(1)});
  catch_up();
  ASSERT_TRUE(shown(1)) << "a turn without the payments";
  happen(service::payment, {payment_event_of(2)});
  catch_up();
  const auto at = stored_position(*data.read(), service::ordertrace, consumer);
  EXPECT_EQ(at.next, 3);
  EXPECT_EQ(at.seen, stored_lineage(*data.read(), service::payment));
}

// In the original the start of a delivery never reached the view.
TEST_F(trace_view_test, defect_of_the_original_the_start_of_a_delivery_is_seen) {
  start_view();
  happen(service::order, {placed(1)});
  happen(service::delivery,
         {encode_event(delivery_event(with<delivery_started>(
                           delivery_fields{1, 1, 1, 7, "Coffee", 2, delivery_status::started, {}})),
                       3, noon)});
  catch_up();
  EXPECT_EQ(status_of(1), "DELIVERY START");
}

}  // namespace
}  // namespace skanu
