// Operations and conditions of commands: repeats get the recorded answer, and a failed If-Match
// changes no entity.
#include "tests/actors/entities/entity_fixture.hpp"

namespace skanu {
namespace {

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
  EXPECT_EQ(std::get<error>(repeat.answer()).wrong_fields,
            std::get<error>(refused.answer()).wrong_fields);
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

}  // namespace
}  // namespace skanu
