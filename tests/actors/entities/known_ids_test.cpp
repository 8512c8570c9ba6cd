// Order ids known to another node: checkout's reaction, and the ids skipped by a restore.
#include "actors/rules/id_recovery.hpp"

#include "actors/consumers/event_log.hpp"
#include "persistence/log/log_lineage.hpp"
#include "tests/support/checkout_fixture.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

class known_ids_test : public checkout_test {
 protected:
  void hear(const std::string& by, entity_id last, log_offset offset = 0) {
    caf::anon_send(placing, known_ids{by, {last, offset}});
    settle();
  }

  /// Writes the identity of the order service's log.
  void begin_log(const std::string& timeline) {
    write_rows(data, service::order,
               {{row_space::meta, std::string(log_timelines_key), to_text({{1, timeline}})}});
  }

  /// Places an order during a wait for ids.
  asked placed_later() {
    const auto a = place();
    settle();
    open(questions.size() - 1);
    settle();
    return a;
  }

  /// The stored ranges of ids passed over by restores.
  std::string skipped_ranges() {
    return data.read()->row(service::order, row_space::meta, skipped_ids_key).value_or("");
  }

  static checkout_limits beside_payment(bool restored = false) {
    checkout_limits limits;
    limits.payment_node = "payment";
    limits.restored = restored;
    return limits;
  }
};

TEST_F(known_ids_test, no_id_is_handed_out_before_payment_has_said_which_it_knows) {
  start_checkout(beside_payment());
  const auto early = place();
  hear("delivery", 0);
  EXPECT_TRUE(questions.empty());
  hear("payment", 0);
  ASSERT_EQ(questions.size(), 1U);
  open();
  settle();
  EXPECT_EQ(early.word(), "created v1");
}

TEST_F(known_ids_test, an_order_that_payment_never_came_for_is_refused_and_later_ones_at_once) {
  start_checkout(beside_payment());
  const auto early = place();
  advance(milliseconds(2'000));
  EXPECT_EQ(early.word(), "service-away");
  EXPECT_EQ(place().word(), "service-away");
  hear("payment", 0);
  EXPECT_EQ(placed().word(), "created v1");
}

// With an older directory, checkout must not reuse ids known to payment: a new order would show
// another customer's payment and phone number.
TEST_F(known_ids_test, ids_that_another_node_knows_and_nobody_was_given_here_stop_all_orders) {
  start_checkout(beside_payment());
  const auto waiting = place();
  hear("payment", 7);
  EXPECT_EQ(waiting.word(), "data-too-old") << "it waited for payment";
  EXPECT_EQ(place().word(), "data-too-old");
  EXPECT_TRUE(questions.empty());
  EXPECT_EQ(env(service::order).metrics.unreserved_ids_seen, 7);
}

TEST_F(known_ids_test, ids_that_were_given_here_may_be_known_by_anybody) {
  start_checkout(beside_payment());
  hear("payment", 0);
  const auto last = placed().id();
  hear("delivery", last);
  EXPECT_EQ(placed().id(), last + 1);
}

TEST_F(known_ids_test, are_passed_over_where_data_was_restored) {
  start_checkout(beside_payment(true));
  hear("payment", 7);
  const auto first = placed().id();
  EXPECT_GT(first, 7);
  stop_checkout();
  // After a crash, checkout neither rejects nor hands out the skipped ids.
  start_checkout(beside_payment());
  hear("payment", first);
  EXPECT_LT(rejected(), 5'000U);
  EXPECT_GT(placed().id(), first);
}

// With an older directory, checkout must not reject the ids of lost orders: the rejection would
// refund the payments and cancel the deliveries for good.
TEST_F(known_ids_test, what_was_sold_and_lost_is_not_rejected) {
  start_checkout();
  const auto first = placed().id();
  const auto lost = place();
  stop_checkout();
  disk.lose_everything();
  start_checkout(beside_payment());
  EXPECT_EQ(rejected(), 0U) << "before payment said anything";
  hear("payment", first + 1, 2);
  EXPECT_EQ(rejected(), 0U);
  EXPECT_EQ(place().word(), "data-too-old");
  for (const bool restored : {false, true}) {
    stop_checkout();
    if (restored) skip_ids(data, 100'000);
    start_checkout(beside_payment(restored));
    hear("payment", first + 1, 1);
    EXPECT_EQ(stored(service::order, first + 1), "") << "not at a later start either";
  }
  EXPECT_GT(placed().id(), 100'000);
}

TEST_F(known_ids_test, what_a_crash_left_is_rejected_once_payment_knows_no_more_than_this_log) {
  start_checkout();
  const auto first = placed().id();
  place();
  stop_checkout();
  disk.lose_everything();
  start_checkout(beside_payment());
  hear("payment", first + 1, 1);
  EXPECT_GT(rejected(), 0U);
}

// Order and payment come back with older directories, and delivery is heard a moment later: new
// orders must not get the ids of lost orders known to delivery.
TEST_F(known_ids_test, the_first_id_waits_for_what_every_configured_follower_knows) {
  auto limits = beside_payment();
  limits.followers = {"delivery", "ordertrace"};
  start_checkout(limits);
  hear("payment", 0);
  const auto early = place();
  advance(milliseconds(200));
  hear("ordertrace", 0);
  EXPECT_TRUE(questions.empty()) << "delivery has said nothing yet";
  hear("delivery", 2);
  EXPECT_EQ(early.word(), "data-too-old");
  EXPECT_TRUE(questions.empty());
}

TEST_F(known_ids_test, a_follower_that_is_away_holds_up_the_first_id_for_a_moment_only) {
  auto limits = beside_payment();
  limits.followers = {"delivery"};
  start_checkout(limits);
  hear("payment", 0);
  const auto early = place();
  advance(limits.hearing - milliseconds(50));
  EXPECT_TRUE(questions.empty());
  advance(milliseconds(100));
  ASSERT_EQ(questions.size(), 1U);
  open();
  settle();
  EXPECT_EQ(early.word(), "created v1");
  EXPECT_EQ(placed().word(), "created v1");
}

TEST_F(known_ids_test, once_every_follower_was_heard_nothing_waits) {
  auto limits = beside_payment();
  limits.followers = {"delivery"};
  start_checkout(limits);
  hear("delivery", 0);
  hear("payment", 0);
  EXPECT_EQ(placed().word(), "created v1");
}

// A late follower knows ids also given by the present run: only the follower's position in the log
// shows an earlier giving.
TEST_F(known_ids_test, a_late_follower_of_lost_events_stops_all_orders_at_this_and_later_starts) {
  begin_log("this");
  start_checkout(beside_payment());
  hear("payment", 0);
  const auto last = placed().id();
  placed();
  hear("stamp", 0);
  EXPECT_EQ(placed().word(), "created v1");
  caf::anon_send(placing, known_ids{"delivery", {last, 2, "lost", {{1, "lost"}}}});
  settle();
  EXPECT_EQ(place().word(), "data-too-old");
  EXPECT_GT(env(service::order).metrics.unreserved_ids_seen, 0);
  stop_checkout();
  // By now delivery has gone on behind the last common event.
  start_checkout(beside_payment());
  hear("payment", 0);
  hear("delivery", last);
  EXPECT_EQ(place().word(), "data-too-old");
  stop_checkout();
  skip_ids(data, 100'000);
  start_checkout(beside_payment(true));
  hear("payment", 0);
  EXPECT_GT(placed().id(), 100'000);
}

TEST_F(known_ids_test, a_refusal_that_could_not_be_stored_is_stored_once_the_store_accepts_it) {
  start_checkout(beside_payment());
  data.inject({.name = "full", .code = errc::store_full, .times = 3, .when = [](const commit& c) {
                 return std::ranges::any_of(
                     c.rows, [](const row_write& row) { return row.key == too_old_key; });
               }});
  hear("payment", 7);
  EXPECT_EQ(place().word(), "data-too-old");
  advance(seconds(10));
  EXPECT_EQ(data.hits("full"), 3U);
  stop_checkout();
  start_checkout(beside_payment());
  hear("payment", 0);
  EXPECT_EQ(place().word(), "data-too-old") << "the restart forgot the refusal";
}

TEST_F(known_ids_test, no_order_goes_on_until_the_store_says_whether_the_log_has_the_events) {
  begin_log("this");
  start_checkout(beside_payment());
  hear("payment", 0);
  const auto last = placed().id();
  data.inject({.name = "unreadable", .at = fault_point::read, .times = 1'000'000});
  caf::anon_send(placing, known_ids{"delivery", {last, 1, "lost", {{1, "lost"}}}});
  settle();
  const auto early = place();
  EXPECT_EQ(early.word(), "waiting");
  advance(seconds(3));
  EXPECT_EQ(early.word(), "store-failed");
  EXPECT_EQ(questions.size(), 1U);
  const auto waiting = place();
  data.heal();
  advance(seconds(6));
  EXPECT_NE(waiting.word(), "created v1");
  EXPECT_EQ(place().word(), "data-too-old");
  EXPECT_EQ(questions.size(), 1U);
}

TEST_F(known_ids_test, orders_go_on_once_the_store_says_that_the_log_has_the_events) {
  start_checkout(beside_payment());
  data.inject({.name = "unreadable", .at = fault_point::read, .times = 3});
  hear("payment", 0);
  const auto early = place();
  EXPECT_TRUE(questions.empty());
  advance(milliseconds(400));
  EXPECT_EQ(data.hits("unreadable"), 3U);
  ASSERT_EQ(questions.size(), 1U);
  open();
  settle();
  EXPECT_EQ(early.word(), "created v1");
}

// The reservation of a restore reads the ranges passed over before.
TEST_F(known_ids_test, a_store_that_cannot_be_read_does_not_end_the_only_actor_that_places_orders) {
  orders = start<region<order_rules>>(env(service::order), region_limits{});
  const auto payments = keep(system.spawn(scripted_payment, &questions));
  placing = start<checkout>(env(service::order), orders, payments, faults, breaker, id_recovery{},
                            beside_payment(true));
  run();
  caf::anon_send(placing, known_ids{"payment", {7}});
  settle();
  data.inject({.name = "unreadable", .at = fault_point::read});
  const auto refused = place();
  settle();
  EXPECT_EQ(refused.word(), "store-failed");
  EXPECT_GT(placed_later().id(), 7);
  EXPECT_NE(skipped_ranges(), "");
}

TEST_F(known_ids_test, ids_are_passed_over_durably_after_a_reservation_that_failed) {
  start_checkout(beside_payment(true));
  data.inject({.name = "full", .code = errc::store_full});
  hear("payment", 7);
  EXPECT_EQ(data.hits("full"), 1U);
  EXPECT_EQ(skipped_ranges(), "");
  EXPECT_GT(placed_later().id(), 7);
  EXPECT_NE(skipped_ranges(), "") << "a restart would walk through all ids passed over";
}

TEST_F(known_ids_test, a_reader_whose_events_the_log_lacks_stops_all_orders) {
  begin_log("this");
  start_checkout();
  placed();
  const auto log = keep(system.spawn(order_log, &env(service::order), placing));
  const auto pull = [&](const log_query& query) {
    caf::scoped_actor self{system};
    auto pulled = self->request(log, caf::infinite, pull_atom::value, query);
    run();
    pulled.receive([](const event_batch&) {}, [](caf::error&) {});
    settle();
  };
  pull({2, 10, {}, "this"});
  EXPECT_EQ(placed().word(), "created v1");
  pull({2, 10, {}, "lost"});
  EXPECT_EQ(place().word(), "data-too-old");
}

TEST_F(known_ids_test, what_delivery_knows_as_sold_is_not_rejected_where_payment_was_restored_too) {
  start_checkout();
  placed();
  place();
  stop_checkout();
  disk.lose_everything();
  auto limits = beside_payment();
  limits.followers = {"delivery"};
  start_checkout(limits);
  hear("payment", 0);
  EXPECT_EQ(rejected(), 0U) << "before delivery said anything";
  hear("delivery", 0, 2);
  advance(limits.hearing + milliseconds(50));
  EXPECT_EQ(rejected(), 0U);
}

TEST_F(known_ids_test, a_log_is_compared_by_offset_timelines_and_the_last_leap) {
  begin_log("a");
  append_events(data, service::order, {"{}", "{}", "{}"});
  const auto compare = [&](log_offset offset, const std::string& timeline, lineage seen) {
    return compare_log(*data.read(), {0, offset, timeline, std::move(seen)});
  };
  EXPECT_EQ(compare(0, "", {}), log_match::same);
  EXPECT_EQ(compare(3, "a", {{1, "a"}}), log_match::same);
  EXPECT_EQ(compare(3, "", {}), log_match::same) << "a follower without timelines";
  EXPECT_EQ(compare(4, "a", {{1, "a"}}), log_match::lost);
  EXPECT_EQ(compare(3, "b", {{1, "a"}, {3, "b"}}), log_match::lost);
  skip_ids(data, 100'000);
  EXPECT_EQ(compare(4, "a", {{1, "a"}}), log_match::skipped);
  EXPECT_EQ(compare(9, "b", {{1, "a"}, {3, "b"}}), log_match::skipped);
  EXPECT_EQ(compare(3, "a", {{1, "a"}}), log_match::same);
  // Lost behind the leap.
  append_events(data, service::order, {"{}", "{}"});
  EXPECT_EQ(compare(6, "a", {{1, "a"}}), log_match::lost);
}

TEST_F(known_ids_test, a_restore_passes_over_more_than_can_have_been_given_since) {
  const auto at = instant(std::chrono::sys_days(std::chrono::year{2026} / 11 / 30));
  const auto last = last_skipped_id(1'537, at);
  EXPECT_GT(last_skipped_id(1'537, at + milliseconds(1)), last);
  EXPECT_GT(last_skipped_id(last + 5, at), last + 1'000'000'000) << "a clock that was set back";
  EXPECT_LT(last_skipped_id(1, at + std::chrono::years{250}), max_safe_integer);
}

TEST_F(known_ids_test, ids_under_way_in_a_backup_are_decided_and_those_passed_over_are_not) {
  commit c{.of = service::order};
  c.rows.push_back({row_space::meta, std::string(reserved_ids_key), "12"});
  c.rows.push_back({row_space::meta, std::string(decided_ids_key), "10"});
  const commit* one = &c;
  ASSERT_EQ(data.write(std::span(&one, 1)).front(), std::nullopt);
  skip_ids(data, 100'000);
  skip_ids(data, 200'000);
  const auto found = recover_ids(*data.read(), false);
  EXPECT_EQ(found.undecided, (std::vector<entity_id>{10, 11, 12}));
  EXPECT_EQ(found.next, 200'001);
}

}  // namespace
}  // namespace skanu
