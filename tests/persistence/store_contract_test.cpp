// The contract of stores for writers: commits and batches.
#include "tests/persistence/store_contract.hpp"

namespace skanu {
namespace {

INSTANTIATE_TEST_SUITE_P(all, store_contract, testing::ValuesIn(all_backends()),
                         testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(all, durable_store_contract, testing::ValuesIn(durable_backends()),
                         testing::PrintToStringParamName());

// One commit.

TEST_P(store_contract, a_new_store_is_empty) {
  const auto now = store_->read();
  for (const auto s : services_) {
    EXPECT_EQ(now->entity(s, 1), std::nullopt);
    EXPECT_EQ(now->listed_entity(s, 1), std::nullopt);
    EXPECT_TRUE(now->list(s, {}).empty());
    EXPECT_TRUE(now->list(s, {.status = 1, .descending = true}).empty());
    EXPECT_EQ(now->count(s, {}), 0);
    EXPECT_EQ(now->count(s, 1), 0);
    EXPECT_TRUE(now->tombstones(s, 0, 10).empty());
    EXPECT_TRUE(now->events(s, 1, 10).empty());
    EXPECT_EQ(now->log_end(s), 0);
    EXPECT_EQ(now->row(s, row_space::rows, "a"), std::nullopt);
    EXPECT_TRUE(now->rows(s, row_space::rows, "", "", 10).empty());
  }
  EXPECT_EQ(store_->services(), services_);
}

TEST_P(store_contract, everything_of_a_commit_is_there_afterwards) {
  auto c = orders_.next(42, 2);
  c.events.push_back("second");
  c.rows = {{row_space::rows, "ledger", "1"}, {row_space::operations, "op", "result"}};
  ASSERT_EQ(write(c), std::nullopt);

  const auto now = store_->read();
  EXPECT_EQ(now->entity(order, 42), *c.changes[0].document);
  EXPECT_EQ(now->listed_entity(order, 42), *c.changes[0].document);
  EXPECT_EQ(ids_of(now->list(order, {})), ids{42});
  EXPECT_EQ(ids_of(now->list(order, {.status = 2})), ids{42});
  EXPECT_EQ(now->count(order, {}), 1);
  EXPECT_EQ(now->count(order, 2), 1);
  ASSERT_EQ(now->events(order, 1, 10).size(), 2U);
  EXPECT_EQ(now->events(order, 1, 10)[0].body, c.events[0]);
  EXPECT_EQ(now->events(order, 1, 10)[1].body, "second");
  EXPECT_EQ(now->row(order, row_space::rows, "ledger"), "1");
  EXPECT_EQ(now->row(order, row_space::operations, "op"), "result");
  EXPECT_EQ(now->row(order, row_space::meta, "op"), std::nullopt);
}

TEST_P(store_contract, nothing_of_a_refused_commit_is_there) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  const auto before = contents();
  auto c = orders_.next(2);
  c.changes.push_back(orders_.next(3).changes[0]);
  c.changes[1].expected = 7;
  c.rows = {{row_space::rows, "ledger", "1"}};
  EXPECT_EQ(write(c), errc::conflicting_commit);
  EXPECT_EQ(contents(), before);
}

TEST_P(store_contract, a_commit_for_another_version_is_refused) {
  for (const version_number expected : {1, 2, -1}) {
    auto c = orders_.next(1);
    c.changes[0].expected = expected;
    EXPECT_EQ(write(c), errc::conflicting_commit) << "none is there, expected " << expected;
  }
  commit_maker orders(order);
  ASSERT_EQ(write(orders.next(1)), std::nullopt);
  ASSERT_EQ(write(orders.next(1)), std::nullopt);
  ASSERT_EQ(write(orders.next(2, 1, false)), std::nullopt);
  const auto before = contents();
  for (const version_number expected : {0, 1, 3}) {
    auto c = orders_.next(1);
    c.changes[0].expected = expected;
    EXPECT_EQ(write(c), errc::conflicting_commit) << "2 is there, expected " << expected;
  }
  auto over_tombstone = orders_.next(2);
  over_tombstone.changes[0].expected = 0;
  EXPECT_EQ(write(over_tombstone), errc::conflicting_commit);
  EXPECT_EQ(contents(), before);
}

TEST_P(store_contract, a_change_to_the_same_version_is_a_condition_alone) {
  const auto first = orders_.next(1);
  ASSERT_EQ(write(first), std::nullopt);
  commit condition;
  condition.changes = {{.id = 1, .expected = 1, .next = 1}, {.id = 2, .expected = 0, .next = 0}};
  condition.events = {"still 1"};
  EXPECT_EQ(write(condition), std::nullopt);
  EXPECT_EQ(store_->read()->entity(order, 1), *first.changes[0].document);
  EXPECT_EQ(store_->read()->entity(order, 2), std::nullopt);
  EXPECT_EQ(store_->read()->count(order, 1), 1);

  condition.changes[0].expected = condition.changes[0].next = 2;
  EXPECT_EQ(write(condition), errc::conflicting_commit);
  EXPECT_EQ(store_->read()->log_end(order), 2);
}

TEST_P(store_contract, a_row_that_must_be_new_is_written_once) {
  EXPECT_EQ(write(rows_commit({{row_space::rows, "earned", "1", true}})), std::nullopt);
  EXPECT_EQ(
      write(rows_commit({{row_space::meta, "other", "1"}, {row_space::rows, "earned", "2", true}})),
      errc::conflicting_commit);
  EXPECT_EQ(store_->read()->row(order, row_space::rows, "earned"), "1");
  EXPECT_EQ(store_->read()->row(order, row_space::meta, "other"), std::nullopt);
  EXPECT_EQ(write(rows_commit({{row_space::rows, "earned", "3"}})), std::nullopt);
  EXPECT_EQ(store_->read()->row(order, row_space::rows, "earned"), "3");
  EXPECT_EQ(write(rows_commit({{row_space::rows, "earned", std::nullopt}})), std::nullopt);
  EXPECT_EQ(store_->read()->row(order, row_space::rows, "earned"), std::nullopt);
  EXPECT_EQ(write(rows_commit({{row_space::rows, "earned", std::nullopt}})), std::nullopt);
  EXPECT_EQ(write(rows_commit({{row_space::rows, "earned", "4", true}})), std::nullopt);
}

TEST_P(store_contract, a_commit_that_requires_an_entity_is_refused_without_it) {
  auto of_stamp = commit_maker(stamp).next(1);
  of_stamp.requires_entity = entity_name{order, 42};
  EXPECT_EQ(write(of_stamp), errc::conflicting_commit);
  auto refused = orders_.next(42);
  refused.epoch = 2;
  EXPECT_EQ(write_batch({&refused, &of_stamp}),
            std::vector<commit_result>(2, errc::conflicting_commit));
  EXPECT_EQ(store_->read()->entity(stamp, 1), std::nullopt);

  const auto required = commit_maker(order).next(42);
  EXPECT_EQ(write_batch({&required, &of_stamp}), std::vector<commit_result>(2))
      << "earlier in the same batch";
  auto later = commit_maker(stamp).next(2);
  later.requires_entity = entity_name{order, 42};
  EXPECT_EQ(write(later), std::nullopt) << "stored before";
}

TEST_P(store_contract, a_commit_of_another_epoch_is_refused) {
  for (const std::int64_t epoch : {0, 2}) {
    auto c = commit_maker(order).next(1);
    c.epoch = epoch;
    EXPECT_EQ(write(c), errc::conflicting_commit);
  }
  EXPECT_EQ(store_->read()->log_end(order), 0);
}

// One batch.

TEST_P(store_contract, a_refused_commit_refuses_no_other_of_its_batch) {
  const auto first = orders_.next(1);
  auto wrong = orders_.next(2);
  wrong.changes[0].expected = 5;
  const auto last = orders_.next(3);
  EXPECT_EQ(write_batch({&first, &wrong, &last}),
            (std::vector<commit_result>{std::nullopt, errc::conflicting_commit, std::nullopt}));
  EXPECT_EQ(ids_of(store_->read()->list(order, {})), (ids{1, 3}));
  EXPECT_EQ(store_->read()->log_end(order), 2);
}

TEST_P(store_contract, commits_on_one_entity_in_one_batch_build_on_each_other) {
  const auto first = orders_.next(1, 1), second = orders_.next(1, 2), third = orders_.next(1, 3);
  EXPECT_EQ(write_batch({&first, &second, &third}), std::vector<commit_result>(3));
  const auto now = store_->read();
  EXPECT_EQ(now->entity(order, 1), *third.changes[0].document);
  EXPECT_EQ(now->count(order, 1), 0);
  EXPECT_EQ(now->count(order, 2), 0);
  EXPECT_EQ(now->count(order, 3), 1);
  EXPECT_EQ(now->count(order, {}), 1);
  ASSERT_EQ(now->events(order, 1, 9).size(), 3U);
  EXPECT_EQ(now->events(order, 3, 9)[0].body, third.events[0]);
}

TEST_P(store_contract, what_is_built_on_a_refused_commit_is_refused) {
  auto first = orders_.next(1);
  first.rows = {{row_space::rows, "taken", "2", true}};
  const auto second = orders_.next(1);
  const auto taken = rows_commit({{row_space::rows, "taken", "1", true}});
  EXPECT_EQ(write_batch({&taken, &first, &second}),
            (std::vector<commit_result>{std::nullopt, errc::conflicting_commit,
                                        errc::conflicting_commit}));
  EXPECT_EQ(store_->read()->entity(order, 1), std::nullopt);
  EXPECT_EQ(store_->read()->row(order, row_space::rows, "taken"), "1");
}

TEST_P(store_contract, conditions_see_the_rows_of_the_batch_so_far) {
  const auto write_it = rows_commit({{row_space::rows, "row", "1", true}});
  const auto erase_it = rows_commit({{row_space::rows, "row", std::nullopt}});
  const auto write_again = rows_commit({{row_space::rows, "row", "2", true}});
  EXPECT_EQ(write_batch({&write_it, &erase_it, &write_again}), std::vector<commit_result>(3));
  EXPECT_EQ(store_->read()->row(order, row_space::rows, "row"), "2");
}

TEST_P(store_contract, an_empty_batch_writes_nothing) {
  const auto before = contents();
  EXPECT_TRUE(write_batch({}).empty());
  EXPECT_EQ(contents(), before);
}

TEST_P(store_contract, one_batch_may_hold_commits_of_several_services) {
  const auto of_order = orders_.next(1);
  const auto of_stamp = commit_maker(stamp).next(1, 2);
  EXPECT_EQ(write_batch({&of_order, &of_stamp}), std::vector<commit_result>(2));
  EXPECT_EQ(store_->read()->entity(order, 1), *of_order.changes[0].document);
  EXPECT_EQ(store_->read()->entity(stamp, 1), *of_stamp.changes[0].document);
}

TEST_P(store_contract, services_do_not_see_each_other) {
  auto c = orders_.next(1);
  c.rows = {{row_space::rows, "row", "1"}};
  ASSERT_EQ(write(c), std::nullopt);
  const auto now = store_->read();
  EXPECT_EQ(now->entity(stamp, 1), std::nullopt);
  EXPECT_EQ(now->count(stamp, {}), 0);
  EXPECT_EQ(now->log_end(stamp), 0);
  EXPECT_EQ(now->row(stamp, row_space::rows, "row"), std::nullopt);
}

TEST_P(store_contract, a_damaged_document_holds_up_its_own_entity_alone) {
  for (const auto* damage : {"", "garbage", "{\"version\":x,\"data\":{}}", "\xff\xfe{}"}) {
    commit_maker orders(order);
    const auto id = static_cast<entity_id>(store_->read()->log_end(order) + 1);
    auto c = orders.next(id);
    c.changes[0].document = std::make_shared<const std::string>(damage);
    ASSERT_EQ(write(c), std::nullopt);
    const auto on_damage = orders.next(id), other = orders.next(id + 1);
    EXPECT_EQ(write_batch({&on_damage, &other}),
              (std::vector<commit_result>{errc::undecodable, std::nullopt}));
    EXPECT_EQ(store_->read()->entity(order, id), damage);
  }
}

}  // namespace
}  // namespace skanu
