// What every entity shares: speculative state, durable replies, operations, passivation, crashes.
#include "actors/entities/entity.hpp"

#include <gtest/gtest.h>

#include "actors/entities/region.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "tests/support/actor_fixture.hpp"

namespace skanu {
namespace {

const order_details coffee{7, "Coffee", 2, 9'000, "card"};
const order_details tea{8, "Tea", 1, 4'000, "cash"};
const entity_id account = account_id_of("01012341234");

/// An order that cannot stand being rejected.
struct fragile_rules : order_rules {
  static decision<event> decide(const state& s, const command& c, entity_id id, const facts& = {}) {
    if (std::holds_alternative<reject_order>(c)) throw std::runtime_error("a test's crash");
    return order_rules::decide(s, c, id);
  }
};

class entity_test : public actor_fixture {
 protected:
  template <class Rules = order_rules>
  region_actor<typename Rules::command> orders(region_limits limits = {}) {
    return start<region<Rules>>(env(Rules::of), limits);
  }

  template <class Rules = stamp_rules>
  region_actor<typename Rules::command> stamps(region_limits limits = {}) {
    return start<region<Rules>>(env(Rules::of), limits);
  }

  void refuse_writes(errc code, std::size_t times = 1) {
    data.inject({.name = "refused", .code = code, .times = times});
  }
};

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

// --- Commits that fail -------------------------------------------------------------------------

TEST_F(entity_test, a_failed_commit_fails_everything_that_was_built_on_it) {
  const auto region = orders();
  refuse_writes(errc::store_full);
  const auto placed = tell(region, 1, register_order{coffee});
  const auto cancelled = tell(region, 1, cancel_order{});
  const auto unchanged = tell(region, 1, cancel_order{});
  run();
  disk.turn(1);
  EXPECT_EQ(placed.word(), "store-full");
  disk.turn();
  EXPECT_EQ(cancelled.word(), "store-full");
  EXPECT_EQ(unchanged.word(), "store-full");
  EXPECT_EQ(stored(service::order, 1), "");
  EXPECT_TRUE(log_of(service::order).empty());
}

TEST_F(entity_test, the_command_after_a_failed_commit_begins_from_the_store) {
  const auto region = orders();
  tell(region, 1, register_order{coffee});
  settle();
  refuse_writes(errc::store_failed);
  const auto lost = tell(region, 1, cancel_order{});
  settle();
  EXPECT_EQ(lost.word(), "store-failed");
  EXPECT_EQ(metrics.of(service::order).entity_failures, 1);
  const auto closed = tell(region, 1, close_order{});
  settle();
  EXPECT_EQ(closed.word(), "changed v2");
  EXPECT_EQ(log_of(service::order), (std::vector<std::string>{"Ordered", "OrderClosed"}));
}

TEST_F(entity_test, a_command_that_waits_while_a_commit_fails_is_not_told_what_was_lost) {
  const auto region = orders();
  tell(region, 1, register_order{coffee});
  settle();
  refuse_writes(errc::store_failed);
  tell(region, 1, close_order{});
  run();
  // The close is lost; before the region hears of it the entity is told to cancel.
  const auto cancelled = tell(region, 1, cancel_order{});
  disk.turn();
  settle();
  EXPECT_EQ(cancelled.word(), "store-failed") << "closed is what a crash took back";
  EXPECT_FALSE(stored_state<order_state>(service::order, 1).delivered);
}

TEST_F(entity_test, a_commit_of_another_version_is_refused_and_the_next_command_recovers) {
  const auto first = orders();
  const auto second = orders();
  tell(first, 1, register_order{coffee});
  settle();
  tell(second, 1, register_order{coffee});
  settle();
  tell(first, 1, close_order{});
  settle();
  const auto stale = tell(second, 1, cancel_order{});
  settle();
  EXPECT_EQ(stale.word(), "conflicting-commit");
  const auto next = tell(second, 1, cancel_order{});
  settle();
  EXPECT_EQ(next.word(), "already-delivered");
}

TEST_F(entity_test, errors_before_and_after_each_commit_lead_to_one_of_two_outcomes) {
  const auto order_region = orders();
  const auto stamp_region = stamps();
  const std::vector<std::pair<std::string, std::function<asked(entity_id)>>> commands = {
      {"register", [&](entity_id id) { return tell(order_region, id, register_order{coffee}); }},
      {"reject", [&](entity_id id) { return tell(order_region, id, reject_order{}); }},
      {"add", [&](entity_id id) { return tell(stamp_region, account + id, add_stamps{2}); }},
      {"earn",
       [&](entity_id id) {
         return tell(stamp_region, account + id, earn_stamps{id, 2});
       }},
      {"deduct", [&](entity_id id) { return tell(stamp_region, account + id, deduct_stamps{id}); }},
  };
  entity_id id = 100;
  for (const auto& [name, tell_it] : commands) {
    for (const auto at : {fault_point::before_write, fault_point::after_write}) {
      SCOPED_TRACE(name + (at == fault_point::before_write ? " before" : " after"));
      ++id;
      data.inject({.name = name, .at = at, .code = errc::outcome_unknown});
      const auto first = tell_it(id);
      settle();
      EXPECT_EQ(first.word(), "outcome-unknown");
      const auto again = tell_it(id);
      settle();
      if (at == fault_point::before_write || name == "add") {
        EXPECT_EQ(again.word(), at == fault_point::before_write ? "created v1" : "changed v2");
      } else {
        EXPECT_EQ(again.word(), "unchanged v1");
      }
    }
  }
}

// --- Operations --------------------------------------------------------------------------------

TEST_F(entity_test, a_repeat_of_a_running_operation_is_told_so) {
  const auto region = stamps();
  const auto first = tell(region, account, add_stamps{1}, under_key(1));
  const auto repeat = tell(region, account, add_stamps{1}, under_key(1));
  run();
  disk.turn(1);
  EXPECT_EQ(first.word(), "created v1");
  settle();
  EXPECT_EQ(repeat.word(), "operation-running");
  EXPECT_EQ(stored_state<stamp_state>(service::stamp, account).stamp_qty, 1);
}

TEST_F(entity_test, a_repeat_gets_the_recorded_answer) {
  const auto region = stamps();
  const auto first = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  const auto at_once = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(at_once.word(), first.word());
  tell(region, account, add_stamps{5});
  settle();
  const auto later = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(later.word(), first.word());
  EXPECT_EQ(later.document(), first.document());
  EXPECT_EQ(stored_state<stamp_state>(service::stamp, account).stamp_qty, 6);
}

TEST_F(entity_test, a_key_that_was_used_for_another_request_is_refused) {
  const auto region = stamps();
  tell(region, account, add_stamps{1}, under_key(1, 1));
  settle();
  const auto reused = tell(region, account, add_stamps{2}, under_key(1, 2));
  settle();
  EXPECT_EQ(reused.word(), "operation-reused");
}

TEST_F(entity_test, a_refusal_is_recorded_like_an_answer) {
  const auto region = stamps();
  const auto refused = tell(region, account, add_stamps{-1}, under_key(1));
  settle();
  EXPECT_EQ(refused.word(), "negative-balance");
  tell(region, account, add_stamps{10});
  settle();
  const auto repeat = tell(region, account, add_stamps{-1}, under_key(1));
  settle();
  EXPECT_EQ(repeat.word(), "negative-balance");
  EXPECT_EQ(std::get<error>(repeat.answer()).fields, std::get<error>(refused.answer()).fields);
}

TEST_F(entity_test, an_operation_that_could_not_be_stored_may_be_carried_out_again) {
  const auto region = stamps();
  refuse_writes(errc::store_full);
  const auto failed = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(failed.word(), "store-full");
  const auto repeat = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(repeat.word(), "created v1");
}

TEST_F(entity_test, operations_outlive_the_entity) {
  const auto first_region = stamps();
  const auto first = tell(first_region, account, add_stamps{1}, under_key(1));
  settle();
  advance(seconds(40));
  EXPECT_EQ(metrics.of(service::stamp).live_entities, 0);
  const auto repeat = tell(first_region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(repeat.word(), first.word());
  const auto second_region = stamps();
  const auto elsewhere = tell(second_region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(elsewhere.document(), first.document());
}

TEST_F(entity_test, a_gateways_own_operation_is_carried_out_once) {
  const auto region = stamps();
  operation_id operation;
  operation.bytes[0] = 9;
  const auto first = tell(region, account, add_stamps{1}, {operation, 0, false, {}});
  settle();
  const auto repeat = tell(region, account, add_stamps{1}, {operation, 0, true, {}});
  settle();
  EXPECT_EQ(first.word(), "created v1");
  EXPECT_EQ(repeat.word(), "created v1");
  EXPECT_EQ(stored_state<stamp_state>(service::stamp, account).stamp_qty, 1);
}

TEST_F(entity_test, a_repeat_that_was_not_announced_as_one_is_refused_by_the_store) {
  const auto region = stamps();
  operation_id operation;
  operation.bytes[0] = 9;
  tell(region, account, add_stamps{1}, {operation, 0, false, {}});
  settle();
  const auto repeat = tell(region, account, add_stamps{1}, {operation, 0, false, {}});
  settle();
  EXPECT_EQ(repeat.word(), "conflicting-commit");
  EXPECT_EQ(stored_state<stamp_state>(service::stamp, account).stamp_qty, 1);
}

// --- If-Match ------------------------------------------------------------------------------------

TEST_F(entity_test, a_condition_holds_or_nothing_is_done) {
  const auto region = orders();
  const auto if_match = [](std::vector<version_number> versions) {
    return conditions{{}, 0, false, version_condition{false, std::move(versions)}};
  };
  const conditions if_any{{}, 0, false, version_condition{true, {}}};
  tell(region, 1, register_order{coffee});
  tell(region, 2, reject_order{});
  settle();
  const auto other = tell(region, 1, cancel_order{}, if_match({2, 7}));
  const auto none = tell(region, 1, cancel_order{}, if_match({}));
  const auto unknown = tell(region, 3, cancel_order{}, if_any);
  const auto hidden = tell(region, 2, cancel_order{}, if_any);
  const auto unborn = tell(region, 3, register_order{coffee}, if_any);
  settle();
  EXPECT_EQ(other.word(), "version-mismatch");
  EXPECT_EQ(none.word(), "version-mismatch");
  EXPECT_EQ(unknown.word(), "not-found");
  EXPECT_EQ(hidden.word(), "not-found");
  EXPECT_EQ(unborn.word(), "version-mismatch");
  const auto any = tell(region, 1, close_order{}, if_any);
  const auto listed = tell(region, 1, close_order{}, if_match({5, 2}));
  settle();
  EXPECT_EQ(any.word(), "changed v2");
  EXPECT_EQ(listed.word(), "unchanged v2");
}

TEST_F(entity_test, an_operation_is_looked_at_before_its_condition) {
  const auto region = orders();
  tell(region, 1, register_order{coffee});
  settle();
  auto first_version = under_key(1);
  first_version.condition = version_condition{false, {1}};
  const auto first = tell(region, 1, cancel_order{}, first_version);
  settle();
  const auto repeat = tell(region, 1, cancel_order{}, first_version);
  settle();
  EXPECT_EQ(first.word(), "changed v2");
  EXPECT_EQ(repeat.word(), "changed v2");
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
  /// Asks, at the moment of handing over, whether the owner might be put to sleep.
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
  // The one that sleeps is 2: it alone is read from the store when it is told something.
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

// --- Crashes ----------------------------------------------------------------------------------

TEST_F(entity_test, an_entity_that_throws_is_restarted_alone) {
  const auto region = orders<fragile_rules>();
  tell(region, 1, register_order{coffee});
  tell(region, 2, register_order{tea});
  settle();
  const auto crashing = tell(region, 1, reject_order{});
  const auto behind = tell(region, 1, cancel_order{});
  const auto other = tell(region, 2, cancel_order{});
  settle();
  EXPECT_EQ(crashing.word(), "entity-failed");
  EXPECT_EQ(behind.word(), "entity-failed") << "it was not carried out, and may be sent again";
  EXPECT_EQ(other.word(), "changed v2");
  const auto again = tell(region, 1, cancel_order{});
  settle();
  EXPECT_EQ(again.word(), "changed v2");
}

TEST_F(entity_test, what_a_crashed_entity_handed_over_becomes_durable) {
  const auto region = orders<fragile_rules>();
  const auto placed = tell(region, 1, register_order{coffee});
  tell(region, 1, reject_order{});
  run();
  settle();
  EXPECT_EQ(placed.word(), "created v1");
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
}

TEST_F(entity_test, one_that_crashes_again_and_again_is_set_aside_for_a_while) {
  const auto region = orders<fragile_rules>({.crashes = 3, .aside = milliseconds(1'000)});
  tell(region, 1, register_order{coffee});
  settle();
  for (int i = 0; i < 3; ++i) {
    tell(region, 1, reject_order{});
    settle();
  }
  const auto refused = tell(region, 1, cancel_order{});
  const auto other = tell(region, 2, register_order{tea});
  settle();
  EXPECT_EQ(refused.word(), "entity-failed");
  EXPECT_EQ(other.word(), "created v1");
  EXPECT_EQ(metrics.of(service::order).entity_failures, 3);
  advance(milliseconds(1'005));
  const auto back = tell(region, 1, cancel_order{});
  settle();
  EXPECT_EQ(back.word(), "changed v2");
}

TEST_F(entity_test, is_set_aside_longer_each_time_and_at_most_a_minute) {
  const auto region = orders<fragile_rules>({.crashes = 1, .aside = milliseconds(1'000)});
  std::vector<milliseconds> asides;
  for (int i = 0; i < 9; ++i) {
    tell(region, 1, reject_order{});
    settle();
    milliseconds aside{0};
    for (;;) {
      const auto probe = tell(region, 1, cancel_order{});
      settle();
      if (probe.word() == "not-found") break;
      advance(milliseconds(250));
      aside += milliseconds(250);
    }
    asides.push_back(aside);
  }
  using namespace std::chrono_literals;
  EXPECT_EQ(asides, (std::vector<milliseconds>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}));
}

TEST_F(entity_test, a_store_that_cannot_be_read_fails_the_command_with_its_own_code) {
  const auto region = stamps();
  data.inject({.name = "unreadable", .at = fault_point::read, .times = 2});
  const auto first = tell(region, account, add_stamps{1});
  settle();
  EXPECT_EQ(first.word(), "store-failed") << "what is merely absent is not the entity's failure";
  const auto repeat = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(repeat.word(), "store-failed");
  const auto next = tell(region, account, add_stamps{1}, under_key(1));
  settle();
  EXPECT_EQ(next.word(), "created v1");
}

TEST_F(entity_test, a_document_that_cannot_be_decoded_concerns_its_entity_only) {
  const auto region = orders();
  commit damaged{.of = service::order};
  damaged.changes.push_back({.id = 1,
                             .expected = 0,
                             .next = 1,
                             .document = std::make_shared<const std::string>(
                                 R"({"type":"order","schema":1,"version":1,"data":{"id":"x"}})"),
                             .status = 1,
                             .listed = true});
  const auto* c = &damaged;
  ASSERT_EQ(data.write({&c, 1}).front(), std::nullopt);
  const auto unreadable = tell(region, 1, cancel_order{});
  const auto other = tell(region, 2, register_order{coffee});
  settle();
  EXPECT_EQ(unreadable.word(), "entity-failed");
  EXPECT_EQ(other.word(), "created v1");
}

// The original published its events although the transaction rolled back, and lost them where it
// crashed between the two.
TEST_F(entity_test, defect_of_the_original_an_event_is_stored_if_and_only_if_its_state_is) {
  const auto region = orders();
  refuse_writes(errc::store_failed);
  tell(region, 1, register_order{coffee});
  settle();
  EXPECT_TRUE(log_of(service::order).empty());
  tell(region, 2, register_order{coffee});
  run();
  disk.lose_everything();
  EXPECT_TRUE(log_of(service::order).empty());
  EXPECT_EQ(stored(service::order, 2), "");
  tell(region, 3, register_order{coffee});
  settle();
  EXPECT_EQ(log_of(service::order), std::vector<std::string>{"Ordered"});
  EXPECT_NE(stored(service::order, 3), "");
}

}  // namespace
}  // namespace skanu
