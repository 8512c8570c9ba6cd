// Entities: speculative state, durable replies, passivation.
#include "tests/actors/entities/entity_fixture.hpp"

namespace skanu {
namespace {

// --- Durable replies --------------------------------------------------------------------------

TEST_F(entity_test, answers_when_the_commit_is_durable_and_not_before) {
  const auto region = orders();
  const auto placed = tell(region, 1, register_order{coffee});
  run();
  EXPECT_EQ(placed.word(), "waiting");
  EXPECT_EQ(stored(service::order, 1), "");
  disk.turn();
  EXPECT_EQ(placed.word(), "created v1");
  EXPECT_EQ(placed.document(), stored(service::order, 1));
  EXPECT_EQ(placed.id(), 1);
}

TEST_F(entity_test, goes_on_from_its_speculative_state) {
  const auto region = orders();
  const auto placed = tell(region, 1, register_order{coffee});
  const auto cancelled = tell(region, 1, cancel_order{});
  run();
  EXPECT_EQ(disk.waiting().size(), 2U);
  EXPECT_EQ(disk.waiting()[1].data.changes.front().expected, 1);
  disk.turn(1);
  EXPECT_EQ(placed.word(), "created v1");
  EXPECT_EQ(cancelled.word(), "waiting");
  disk.turn(1);
  EXPECT_EQ(cancelled.word(), "changed v2");
  EXPECT_EQ(log_of(service::order), (std::vector<std::string>{"Ordered", "OrderCancelled"}));
}

TEST_F(entity_test, two_hundred_commands_of_one_account_need_one_turn_of_the_disk) {
  const auto region = stamps();
  std::vector<asked> all;
  for (int i = 0; i < 200; ++i) all.push_back(tell(region, account, add_stamps{1}));
  run();
  disk.turn();
  EXPECT_EQ(disk.turns(), 1U);
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_EQ(all[i].word(), "changed v" + std::to_string(i + 1));
  EXPECT_EQ(stored_state<stamp_state>(service::stamp, account).stamp_qty, 200);
}

TEST_F(entity_test, a_refusal_waits_behind_the_commit_that_it_speaks_of) {
  const auto region = orders();
  tell(region, 1, register_order{coffee});
  tell(region, 1, close_order{});
  const auto refused = tell(region, 1, cancel_order{});
  const auto unchanged = tell(region, 1, close_order{});
  run();
  EXPECT_EQ(refused.word(), "waiting");
  EXPECT_EQ(unchanged.word(), "waiting");
  disk.turn(2);
  EXPECT_EQ(refused.word(), "waiting");
  disk.turn();
  EXPECT_EQ(refused.word(), "already-delivered");
  EXPECT_EQ(unchanged.word(), "unchanged v2");
}

TEST_F(entity_test, answers_without_the_disk_where_all_it_speaks_of_is_durable) {
  const auto region = orders();
  tell(region, 1, register_order{coffee});
  settle();
  const auto refused = tell(region, 1, reject_order{});
  const auto unchanged = tell(region, 1, register_order{coffee});
  const auto unknown = tell(region, 2, cancel_order{});
  run();
  EXPECT_EQ(refused.word(), "not-allowed");
  EXPECT_EQ(unchanged.word(), "unchanged v1");
  EXPECT_EQ(unknown.word(), "not-found");
  EXPECT_TRUE(disk.waiting().empty());
}

TEST_F(entity_test, one_commit_carries_state_event_and_ledger) {
  const auto region = stamps();
  const auto earned = tell(region, account, earn_stamps{42, 3});
  settle();
  EXPECT_EQ(earned.word(), "created v1");
  const auto now = data.read();
  const auto ledger =
      now->rows(service::stamp, row_space::rows, stamp_rules::ledger_prefix(account), {}, 10);
  ASSERT_EQ(ledger.size(), 1U);
  const auto line = from_json<stamp_entry>(parse_stored_json(ledger.front().value));
  EXPECT_EQ(line, (stamp_entry{1, "StampsEarned", 42, 3, "2026-11-22T12:00:00.000Z"}));
  const auto events = now->events(service::stamp, 1, 10);
  ASSERT_EQ(events.size(), 1U);
  const auto header = header_of(parse_stored_json(events.front().body));
  EXPECT_EQ(header.version, 1);
  EXPECT_EQ(header.at, wall_clock);
}

TEST_F(entity_test, an_effect_happens_once_also_while_the_first_is_in_flight) {
  const auto region = stamps();
  tell(region, account, earn_stamps{42, 3});
  const auto again = tell(region, account, earn_stamps{42, 3});
  tell(region, account, deduct_stamps{42});
  const auto late = tell(region, account, earn_stamps{42, 3});
  settle();
  EXPECT_EQ(again.word(), "unchanged v1");
  EXPECT_EQ(late.word(), "unchanged v2");
  const auto much_later = tell(region, account, deduct_stamps{42});
  settle();
  EXPECT_EQ(much_later.word(), "unchanged v2");
  EXPECT_EQ(stored_state<stamp_state>(service::stamp, account).stamp_qty, 0);
}

// --- Living and sleeping -------------------------------------------------------------------------

TEST_F(entity_test, sleeps_after_an_idle_time_and_wakes_with_its_state) {
  const auto region = orders({.idle = seconds(30)});
  tell(region, 1, register_order{coffee});
  settle();
  advance(seconds(20));
  tell(region, 2, register_order{tea});
  settle();
  EXPECT_EQ(metrics.of(service::order).live_entities, 2);
  advance(seconds(12));
  EXPECT_EQ(metrics.of(service::order).live_entities, 1);
  advance(seconds(30));
  EXPECT_EQ(metrics.of(service::order).live_entities, 0);
  EXPECT_EQ(metrics.of(service::order).passivations, 2);
  const auto cancelled = tell(region, 1, cancel_order{});
  settle();
  EXPECT_EQ(cancelled.word(), "changed v2");
}

TEST_F(entity_test, does_not_sleep_while_a_commit_is_under_way) {
  const auto region = orders({.idle = seconds(30)});
  const auto placed = tell(region, 1, register_order{coffee});
  run();
  advance(seconds(60), false);
  EXPECT_EQ(metrics.of(service::order).live_entities, 1);
  settle();
  EXPECT_EQ(placed.word(), "created v1");
  advance(seconds(2));
  EXPECT_EQ(metrics.of(service::order).live_entities, 0);
}

TEST_F(entity_test, is_busy_until_its_commit_is_handed_over) {
  /// Notes, at the moment of submitting, whether passivation could choose the owner.
  class nosy_queue final : public commit_queue {
   public:
    void submit(pending_commit c) override {
      quiescent = dynamic_cast<entity_gauge&>(*c.owner).quiescent();
      c.answer(std::move(c.result));
    }
    bool quiescent = false;
  } queue;
  const service_environment nosy{data, queue, metrics.of(service::order), seeds,
                                 [this] { return wall_clock; }};
  const order_region_actor region = start<skanu::region<order_rules>>(nosy, region_limits{});
  tell(region, 1, register_order{coffee});
  run();
  EXPECT_FALSE(queue.quiescent);
}

TEST_F(entity_test, over_the_limit_the_least_recently_used_sleep) {
  const auto region = orders({.live = 2});
  for (const entity_id id : {1, 2, 1, 3}) {
    tell(region, id, register_order{coffee});
    settle();
  }
  EXPECT_EQ(metrics.of(service::order).live_entities, 2);
  EXPECT_EQ(metrics.of(service::order).passivations, 1);
  // Only entity 2 is passivated, so only entity 2 is read from the store for the next command.
  data.inject({.name = "woken", .at = fault_point::read, .times = 100});
  for (const entity_id id : {1, 3}) tell(region, id, cancel_order{});
  settle();
  EXPECT_EQ(data.hits("woken"), 0U);
  tell(region, 2, cancel_order{});
  settle();
  EXPECT_EQ(data.hits("woken"), 1U);
}

TEST_F(entity_test, over_the_limit_those_that_are_busy_stay) {
  const auto region = orders({.live = 1});
  std::vector<asked> placed;
  for (entity_id id = 1; id <= 5; ++id) placed.push_back(tell(region, id, register_order{coffee}));
  run();
  EXPECT_EQ(metrics.of(service::order).live_entities, 5);
  settle();
  for (const auto& p : placed) EXPECT_EQ(p.word(), "created v1");
  advance(seconds(2));
  EXPECT_EQ(metrics.of(service::order).live_entities, 1);
}

TEST_F(entity_test, refuses_at_once_what_would_wait_too_long) {
  const auto region = stamps({.waiting = 3});
  std::vector<asked> all;
  for (int i = 0; i < 6; ++i) all.push_back(tell(region, account, add_stamps{1}));
  const auto other = tell(region, account + 1, add_stamps{1});
  run();
  const auto overloaded =
      std::count_if(all.begin(), all.end(), [](const auto& a) { return a.word() == "overloaded"; });
  EXPECT_EQ(overloaded, 3) << "the region was told of all before the entity looked at one";
  settle();
  EXPECT_EQ(other.word(), "created v1");
  const auto later = tell(region, account, add_stamps{1});
  settle();
  EXPECT_EQ(later.word(), "changed v4");
}

}  // namespace
}  // namespace skanu
