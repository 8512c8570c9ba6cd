// The contract of stores for readers: lists, counts, logs and rows.
#include "tests/persistence/store_contract.hpp"

namespace skanu {
namespace {

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
  // Writes 100 first, since the order of writing is not the order of ids. Odd ids have status 1; 5
  // is a tombstone.
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

}  // namespace
}  // namespace skanu
