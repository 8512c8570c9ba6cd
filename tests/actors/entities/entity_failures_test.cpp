// Entities under failure: failed commits, crashes, unreadable documents.
#include <functional>

#include "tests/actors/entities/entity_fixture.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {
namespace {

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
  // The commit of the close fails while the cancel waits in the entity's mailbox, before the region
  // learns of the failure.
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

TEST_F(entity_test, crashes_with_pauses_between_them_are_in_a_row) {
  const auto region = orders<fragile_rules>({.crashes = 3});
  for (int i = 0; i < 3; ++i) {
    advance(minutes(1));
    tell(region, 1, reject_order{});
    settle();
  }
  const auto refused = tell(region, 1, register_order{coffee});
  settle();
  EXPECT_EQ(refused.word(), "entity-failed");
}

TEST_F(entity_test, a_success_between_crashes_ends_the_row) {
  const auto region = orders<fragile_rules>({.crashes = 3});
  const auto crash = [&] {
    tell(region, 1, reject_order{});
    settle();
  };
  crash();
  crash();
  const auto refused = tell(region, 1, cancel_order{});
  settle();
  EXPECT_EQ(refused.word(), "not-found");
  tell(region, 1, register_order{coffee});
  settle();
  crash();
  crash();
  const auto placed = tell(region, 1, cancel_order{});
  settle();
  EXPECT_EQ(placed.word(), "changed v2") << "set aside";
}

TEST_F(entity_test, a_command_whose_commit_fails_does_not_end_a_row_of_crashes) {
  const auto region = orders<fragile_rules>({.crashes = 2});
  tell(region, 1, reject_order{});
  settle();
  refuse_writes(errc::store_full);
  const auto lost = tell(region, 1, register_order{coffee});
  settle();
  EXPECT_EQ(lost.word(), "store-full");
  tell(region, 1, reject_order{});
  settle();
  const auto refused = tell(region, 1, register_order{coffee});
  settle();
  EXPECT_EQ(refused.word(), "entity-failed");
}

TEST_F(entity_test, crashes_of_long_ago_are_forgotten) {
  const auto region = orders<fragile_rules>({.crashes = 2});
  tell(region, 1, reject_order{});
  advance(minutes(4));
  tell(region, 2, reject_order{});
  advance(minutes(2));
  for (const entity_id id : {1, 2}) tell(region, id, reject_order{});
  settle();
  const auto forgotten = tell(region, 1, register_order{coffee});
  const auto remembered = tell(region, 2, register_order{coffee});
  settle();
  EXPECT_EQ(forgotten.word(), "created v1");
  EXPECT_EQ(remembered.word(), "entity-failed");
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
  write_commit(data, damaged);
  const auto unreadable = tell(region, 1, cancel_order{});
  const auto other = tell(region, 2, register_order{coffee});
  settle();
  EXPECT_EQ(unreadable.word(), "entity-failed");
  EXPECT_EQ(other.word(), "created v1");
}

// The original publishes events of rolled back transactions, and loses events in a crash between
// commit and publication.
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
