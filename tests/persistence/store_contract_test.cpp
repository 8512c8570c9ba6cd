// What persistence/store.hpp promises, against every backend.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

constexpr auto deadline = 20s;
constexpr service order = service::order;
constexpr service stamp = service::stamp;

std::vector<entity_id> ids_of(const std::vector<stored_entity>& entities) {
  std::vector<entity_id> ids;
  for (const auto& e : entities) ids.push_back(e.id);
  return ids;
}

std::vector<std::string> keys_of(const std::vector<stored_row>& rows) {
  std::vector<std::string> keys;
  for (const auto& r : rows) keys.push_back(r.key);
  return keys;
}

using ids = std::vector<entity_id>;
using keys = std::vector<std::string>;

class store_contract : public testing::TestWithParam<store_backend> {
 protected:
  void SetUp() override { open(); }

  void open() { store_ = GetParam().open(folder_.path(), services_, 0); }

  void reopen() {
    store_.reset();
    open();
  }

  commit_result write(const commit& c) { return write_batch({&c}).at(0); }

  std::vector<commit_result> write_batch(std::vector<const commit*> batch) {
    return store_->write(batch);
  }

  std::string contents() const { return contents_of(*store_->read(), services_); }

  static commit rows_commit(std::vector<row_write> rows) {
    commit c;
    c.rows = std::move(rows);
    return c;
  }

  const std::vector<service> services_ = {order, stamp};
  const temporary_folder folder_;
  std::unique_ptr<store> store_;
  commit_maker orders_{order};
};

using durable_store_contract = store_contract;

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

// Listed entities, tombstones, counts.

TEST_P(store_contract, counts_and_lists_follow_every_transition) {
  struct kind {
    std::uint8_t status;
    bool listed;
  };
  constexpr kind kinds[] = {{1, true}, {2, true}, {1, false}, {2, false}};
  entity_id id = 0;
  for (const bool in_one_batch : {false, true}) {
    for (const auto& before : kinds) {
      for (const auto& after : kinds) {
        ++id;
        SCOPED_TRACE(testing::Message() << "entity " << id << ", one batch: " << in_one_batch);
        const auto counted = [&](std::optional<std::uint8_t> status) {
          return store_->read()->count(order, status);
        };
        const auto all = counted({}), ones = counted(1), twos = counted(2);
        const auto first = orders_.next(id, before.status, before.listed);
        const auto second = orders_.next(id, after.status, after.listed);
        if (in_one_batch) {
          ASSERT_EQ(write_batch({&first, &second}), std::vector<commit_result>(2));
        } else {
          ASSERT_EQ(write(first), std::nullopt);
          ASSERT_EQ(write(second), std::nullopt);
        }
        const auto now = store_->read();
        EXPECT_EQ(counted({}) - all, after.listed ? 1 : 0);
        EXPECT_EQ(counted(1) - ones, after.listed && after.status == 1 ? 1 : 0);
        EXPECT_EQ(counted(2) - twos, after.listed && after.status == 2 ? 1 : 0);
        EXPECT_EQ(now->entity(order, id), *second.changes[0].document);
        EXPECT_EQ(now->listed_entity(order, id).has_value(), after.listed);
        EXPECT_EQ(now->tombstones(order, id - 1, 1).empty(), after.listed);
        EXPECT_EQ(now->list(order, {.after = id - 1, .limit = 1}).empty(), !after.listed);
        for (std::uint8_t status = 1; status <= 2; ++status)
          EXPECT_EQ(now->list(order, {.status = status, .after = id - 1, .limit = 1}).empty(),
                    !after.listed || after.status != status);
      }
    }
  }
}

TEST_P(store_contract, lists_go_by_id_in_both_directions_from_any_place) {
  // 100 is written first: order of writing is not order of ids. Odd ids have status 1; 5 is hidden.
  for (const entity_id id : {100, 3, 1, 2, 4, 5, 6})
    ASSERT_EQ(write(orders_.next(id, id % 2 == 1 ? 1 : 2, id != 5)), std::nullopt);
  const auto now = store_->read();
  const auto listed = [&](const list_query& q) { return ids_of(now->list(order, q)); };
  EXPECT_EQ(listed({}), (ids{1, 2, 3, 4, 6, 100}));
  EXPECT_EQ(listed({.descending = true}), (ids{100, 6, 4, 3, 2, 1}));
  EXPECT_EQ(listed({.after = 3}), (ids{4, 6, 100}));
  EXPECT_EQ(listed({.after = 4, .descending = true}), (ids{3, 2, 1}));
  EXPECT_EQ(listed({.after = 5}), (ids{6, 100}));
  EXPECT_EQ(listed({.after = 5, .descending = true}), (ids{4, 3, 2, 1}));
  EXPECT_EQ(listed({.after = 100}), ids{});
  EXPECT_EQ(listed({.after = 1, .descending = true}), ids{});
  EXPECT_EQ(listed({.after = max_safe_integer}), ids{});
  EXPECT_EQ(listed({.after = max_safe_integer, .descending = true, .limit = 1}), ids{100});
  EXPECT_EQ(listed({.skip = 2, .limit = 2}), (ids{3, 4}));
  EXPECT_EQ(listed({.after = 1, .skip = 1, .limit = 2}), (ids{3, 4}));
  EXPECT_EQ(listed({.descending = true, .skip = 5}), ids{1});
  EXPECT_EQ(listed({.skip = 6}), ids{});
  EXPECT_EQ(listed({.skip = 1'000'000}), ids{});
  EXPECT_EQ(listed({.limit = 0}), ids{});
  EXPECT_EQ(listed({.status = 1}), (ids{1, 3}));
  EXPECT_EQ(listed({.status = 2}), (ids{2, 4, 6, 100}));
  EXPECT_EQ(listed({.status = 2, .descending = true}), (ids{100, 6, 4, 2}));
  EXPECT_EQ(listed({.status = 2, .after = 2, .skip = 1, .limit = 1}), ids{6});
  EXPECT_EQ(listed({.status = 2, .after = 6, .descending = true, .skip = 1}), ids{2});
  EXPECT_EQ(listed({.status = 1, .after = 3}), ids{});
  EXPECT_EQ(listed({.status = 1, .skip = 2}), ids{});
  EXPECT_EQ(listed({.status = 3}), ids{});
  EXPECT_EQ(listed({.status = 0}), ids{});
  EXPECT_EQ(now->list(order, {.after = 3, .limit = 1}).at(0).document,
            sample_document(order, 4, 1));
  EXPECT_EQ(now->list(order, {.status = 2, .limit = 1}).at(0).document,
            sample_document(order, 2, 1));
}

TEST_P(store_contract, the_status_index_goes_by_status_and_id_from_any_place) {
  for (const entity_id id : {1, 2, 3, 4})
    ASSERT_EQ(write(orders_.next(id, id % 2 == 1 ? 1 : 2, id != 4)), std::nullopt);
  const auto now = store_->read();
  using entries = std::vector<index_entry>;
  EXPECT_EQ(now->status_index(order, {}, 10), (entries{{1, 1}, {1, 3}, {2, 2}}));
  EXPECT_EQ(now->status_index(order, {}, 2), (entries{{1, 1}, {1, 3}}));
  EXPECT_EQ(now->status_index(order, {1, 1}, 10), (entries{{1, 3}, {2, 2}}));
  EXPECT_EQ(now->status_index(order, {1, 3}, 10), (entries{{2, 2}}));
  EXPECT_EQ(now->status_index(order, {2, 2}, 10), entries{});
  EXPECT_EQ(now->status_index(order, {}, 0), entries{});
}

TEST_P(store_contract, the_largest_id_is_listed_like_any_other) {
  ASSERT_EQ(write(orders_.next(max_safe_integer, 15)), std::nullopt);
  ASSERT_EQ(write(orders_.next(1, 15)), std::nullopt);
  const auto now = store_->read();
  for (const std::optional<std::uint8_t> status : {std::optional<std::uint8_t>{}, {15}}) {
    EXPECT_EQ(ids_of(now->list(order, {.status = status})), (ids{1, max_safe_integer}));
    EXPECT_EQ(ids_of(now->list(order, {.status = status, .descending = true})),
              (ids{max_safe_integer, 1}));
  }
}

TEST_P(store_contract, tombstones_are_found_by_id_and_in_order) {
  for (entity_id id = 1; id <= 6; ++id)
    ASSERT_EQ(write(orders_.next(id, 3, id % 2 == 0)), std::nullopt);
  const auto now = store_->read();
  EXPECT_EQ(ids_of(now->tombstones(order, 0, 10)), (ids{1, 3, 5}));
  EXPECT_EQ(ids_of(now->tombstones(order, 1, 1)), ids{3});
  EXPECT_EQ(ids_of(now->tombstones(order, 5, 10)), ids{});
  EXPECT_EQ(ids_of(now->tombstones(order, 0, 0)), ids{});
  EXPECT_TRUE(now->entity(order, 3).has_value());
  EXPECT_FALSE(now->listed_entity(order, 3).has_value());
  EXPECT_EQ(now->count(order, {}), 3);
}

// The log.

TEST_P(store_contract, log_offsets_have_no_gap_whatever_is_refused) {
  for (int round = 0; round < 5; ++round) {
    auto good = rows_commit({});
    good.events = {"a", "b"};
    auto refused = rows_commit({{row_space::rows, "once", "1", true}});
    refused.events = {"once"};
    write_batch({&good, &refused, &good});
  }
  const auto events = store_->read()->events(order, 1, 1000);
  ASSERT_EQ(events.size(), 21U);
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events[i].offset, static_cast<log_offset>(i + 1));
  EXPECT_EQ(store_->read()->log_end(order), 21);
  EXPECT_EQ(events[2].body, "once");
}

TEST_P(store_contract, events_are_read_from_an_offset_within_both_limits) {
  commit c;
  for (int i = 1; i <= 300; ++i) c.events.push_back(std::string(100, 'x') + std::to_string(i));
  ASSERT_EQ(write(c), std::nullopt);
  const auto now = store_->read();
  EXPECT_EQ(now->events(order, 1, 1000).size(), 300U);
  ASSERT_EQ(now->events(order, 255, 3).size(), 3U);  // beyond one byte of the key
  EXPECT_EQ(now->events(order, 255, 3)[1].offset, 256);
  EXPECT_EQ(now->events(order, 255, 3)[1].body, c.events[255]);
  EXPECT_EQ(now->events(order, 300, 10).size(), 1U);
  EXPECT_TRUE(now->events(order, 301, 10).empty());
  EXPECT_TRUE(now->events(order, 1, 0).empty());
  EXPECT_EQ(now->events(order, 1, 1000, 1000).size(), 10U);
  EXPECT_EQ(now->events(order, 1, 1000, 1).size(), 1U) << "one event at least, however large";
}

// Rows.

TEST_P(store_contract, rows_are_found_by_prefix_beyond_a_key_in_both_directions) {
  std::vector<row_write> rows;
  for (const auto* key : {"a", "b", "b1", "b2", "b3", "c"})
    rows.push_back({row_space::rows, key, std::string("value of ") + key});
  ASSERT_EQ(write(rows_commit(rows)), std::nullopt);
  const auto now = store_->read();
  const auto found = [&](const char* prefix, const char* after, std::size_t limit,
                         bool descending) {
    return keys_of(now->rows(order, row_space::rows, prefix, after, limit, descending));
  };
  EXPECT_EQ(found("", "", 10, false), (keys{"a", "b", "b1", "b2", "b3", "c"}));
  EXPECT_EQ(found("", "", 10, true), (keys{"c", "b3", "b2", "b1", "b", "a"}));
  EXPECT_EQ(found("b", "", 10, false), (keys{"b", "b1", "b2", "b3"}));
  EXPECT_EQ(found("b", "", 10, true), (keys{"b3", "b2", "b1", "b"}));
  EXPECT_EQ(found("b", "", 2, false), (keys{"b", "b1"}));
  EXPECT_EQ(found("b", "", 2, true), (keys{"b3", "b2"}));
  EXPECT_EQ(found("b", "b1", 10, false), (keys{"b2", "b3"}));
  EXPECT_EQ(found("b", "b1", 1, false), keys{"b2"});
  EXPECT_EQ(found("b", "b2", 10, true), (keys{"b1", "b"}));
  EXPECT_EQ(found("b", "b3", 10, false), keys{});
  EXPECT_EQ(found("b", "b", 10, true), keys{});
  EXPECT_EQ(found("b", "b15", 10, false), (keys{"b2", "b3"})) << "the key itself may be gone";
  EXPECT_EQ(found("b", "b15", 10, true), (keys{"b1", "b"}));
  EXPECT_EQ(found("b", "a", 10, false), (keys{"b", "b1", "b2", "b3"})) << "from below the prefix";
  EXPECT_EQ(found("b", "c", 10, true), (keys{"b3", "b2", "b1", "b"})) << "from above the prefix";
  EXPECT_EQ(found("b", "c", 10, false), keys{});
  EXPECT_EQ(found("b", "a", 10, true), keys{});
  EXPECT_EQ(found("bb", "", 10, false), keys{});
  EXPECT_EQ(found("", "", 0, false), keys{});
  EXPECT_EQ(now->rows(order, row_space::rows, "b2", "", 1).at(0).value, "value of b2");
}

TEST_P(store_contract, keys_and_values_may_be_any_bytes_and_keys_sort_as_such) {
  const std::string zero("\0", 1), last("\xff\xff\xff", 3), umlaut = "\xc3\xa4", plain = "z";
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  ASSERT_EQ(write(rows_commit({{row_space::operations, last, ""},
                               {row_space::operations, plain, every_byte},
                               {row_space::operations, zero, zero},
                               {row_space::operations, umlaut, "null"},
                               {row_space::operations, zero + zero, std::string(100'000, 'x')}})),
            std::nullopt);
  const auto now = store_->read();
  EXPECT_EQ(keys_of(now->rows(order, row_space::operations, "", "", 9)),
            (keys{zero, zero + zero, plain, umlaut, last}));
  EXPECT_EQ(keys_of(now->rows(order, row_space::operations, "", "", 9, true)),
            (keys{last, umlaut, plain, zero + zero, zero}));
  EXPECT_EQ(keys_of(now->rows(order, row_space::operations, "\xff", "", 9, true)), keys{last});
  EXPECT_EQ(now->row(order, row_space::operations, last), "");
  EXPECT_EQ(now->row(order, row_space::operations, plain), every_byte);
  EXPECT_EQ(now->row(order, row_space::operations, zero), zero);
  EXPECT_EQ(now->row(order, row_space::operations, zero + zero), std::string(100'000, 'x'));
}

TEST_P(store_contract, a_large_document_and_a_large_batch_are_stored) {
  std::vector<commit> commits;
  for (entity_id id = 1; id <= 3000; ++id) commits.push_back(orders_.next(id));
  const auto large =
      sample_document(order, 1, 1).insert(1, R"("x":")" + std::string(1 << 20, 'x') + R"(",)");
  commits[0].changes[0].document = std::make_shared<const std::string>(large);
  std::vector<const commit*> batch;
  for (const auto& c : commits) batch.push_back(&c);
  EXPECT_EQ(store_->write(batch), std::vector<commit_result>(3000));
  EXPECT_EQ(store_->read()->count(order, {}), 3000);
  EXPECT_EQ(store_->read()->entity(order, 1), large);
}

// Snapshots.

TEST_P(store_contract, a_snapshot_is_of_the_moment_it_was_taken_and_never_changes) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  const auto then = contents();
  const auto unread = store_->read();  // what was not read yet is fixed as well
  const auto read = store_->read();
  EXPECT_EQ(contents_of(*read, services_), then);
  for (entity_id id = 1; id <= 200; ++id)
    ASSERT_EQ(write(orders_.next(id, 2, id % 3 != 0)), std::nullopt);
  EXPECT_EQ(contents_of(*read, services_), then);
  EXPECT_EQ(contents_of(*unread, services_), then);
  EXPECT_NE(contents(), then);
}

TEST_P(store_contract, a_snapshot_holds_up_no_writer) {
  const auto held = store_->read();
  EXPECT_EQ(held->log_end(order), 0);
  EXPECT_EQ(write(orders_.next(1)), std::nullopt);
  EXPECT_EQ(store_->read()->log_end(order), 1);
}

TEST_P(store_contract, readers_in_many_threads_see_whole_commits_beside_a_writer) {
  constexpr int commits = 300;
  std::atomic<bool> done = false;
  std::atomic<int> faults = 0;
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  const auto read_on = [&] {
    std::int64_t last = 0;
    while (!done && std::chrono::steady_clock::now() < give_up) {
      const auto now = store_->read();
      const auto all = now->count(order, {});
      const auto row = now->row(order, row_space::rows, "all");
      if (all < last || now->log_end(order) != all || (row ? std::stoll(*row) : 0) != all ||
          now->count(order, 1) + now->count(order, 2) != all ||
          static_cast<std::int64_t>(now->list(order, {.limit = 1000}).size()) != all)
        ++faults;
      last = all;
    }
  };
  std::vector<std::future<void>> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(std::async(std::launch::async, read_on));
  for (int i = 1; i <= commits; ++i) {
    auto c = orders_.next(i, i % 2 == 0 ? 1 : 2);
    c.rows = {{row_space::rows, "all", std::to_string(i)}};
    ASSERT_EQ(write(c), std::nullopt);
  }
  done = true;
  for (auto& r : readers) r.get();
  EXPECT_EQ(faults, 0);
}

// Writers held out, copies, reopening.

TEST_P(store_contract, held_writers_wait_until_they_are_released) {
  auto held = store_->hold_writers();
  const auto c = orders_.next(1);
  auto writing = std::async(std::launch::async, [&] { return write(c); });
  EXPECT_EQ(writing.wait_for(50ms), std::future_status::timeout);
  EXPECT_EQ(store_->read()->log_end(order), 0) << "reading goes on";
  held = {};
  ASSERT_EQ(writing.wait_for(deadline), std::future_status::ready);
  EXPECT_EQ(writing.get(), std::nullopt);
  EXPECT_EQ(store_->read()->log_end(order), 1);
}

TEST_P(durable_store_contract, a_reopened_store_holds_the_same) {
  for (entity_id id = 1; id <= 50; ++id) {
    auto c = orders_.next(id, static_cast<std::uint8_t>(id % 3), id % 5 != 0);
    c.rows = {{row_space::dead_letters, std::to_string(id), "set aside"}};
    ASSERT_EQ(write(c), std::nullopt);
  }
  const auto before = contents();
  reopen();
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(write(orders_.next(50, 2)), std::nullopt) << "versions go on";
  EXPECT_EQ(store_->read()->log_end(order), 51) << "offsets go on";
}

TEST_P(durable_store_contract, a_service_added_later_gets_tables_of_its_own) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  store_.reset();
  store_ = GetParam().open(folder_.path(), {order, stamp, service::payment}, 0);
  EXPECT_EQ(store_->read()->count(order, {}), 1);
  EXPECT_EQ(write(commit_maker(service::payment).next(1)), std::nullopt);
}

TEST_P(durable_store_contract, a_copy_taken_beside_a_writer_is_one_moment_of_the_store) {
  std::atomic<bool> done = false;
  auto copying = std::async(std::launch::async, [&] {
    std::vector<std::unique_ptr<temporary_folder>> copies;
    do {
      copies.push_back(std::make_unique<temporary_folder>());
      store_->copy_to(copies.back()->path().string(), *store_->read());
    } while (!done && copies.size() < 20);
    return copies;
  });
  std::vector<std::string> moments = {contents()};
  for (entity_id id = 1; id <= 40; ++id) {
    ASSERT_EQ(write(orders_.next(id, 1, id % 4 != 0)), std::nullopt);
    moments.push_back(contents());
  }
  done = true;
  for (const auto& copy : copying.get()) {
    const auto copied = GetParam().open(copy->path(), services_, 0);
    EXPECT_NE(std::find(moments.begin(), moments.end(), contents_of(*copied->read(), services_)),
              moments.end());
    EXPECT_EQ(copied->write({}), std::vector<commit_result>{});
  }
}

TEST_P(durable_store_contract, a_copy_can_be_taken_while_writers_are_held) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  const temporary_folder to;
  {
    const auto held = store_->hold_writers();
    store_->copy_to(to.path().string(), *store_->read());
  }
  EXPECT_EQ(contents_of(*GetParam().open(to.path(), services_, 0)->read(), services_), contents());
}

TEST_P(durable_store_contract, a_copy_replaces_no_file) {
  const temporary_folder to;
  store_->copy_to(to.path().string(), *store_->read());
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  EXPECT_THROW(store_->copy_to(to.path().string(), *store_->read()), store_error);
  EXPECT_EQ(GetParam().open(to.path(), services_, 0)->read()->log_end(order), 0);
}

TEST_P(durable_store_contract, a_copy_to_where_nothing_can_be_written_fails) {
  EXPECT_THROW(store_->copy_to("/proc/skanu", *store_->read()), store_error);
  EXPECT_EQ(write(orders_.next(1)), std::nullopt);
}

}  // namespace
}  // namespace skanu
