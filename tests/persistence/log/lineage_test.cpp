// The timelines of a log, and a follower's reaction.
#include "messages/lineage.hpp"

#include <gtest/gtest.h>

#include "messages/fields.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/log/log_position.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"

namespace skanu {
namespace {

const lineage original = {{1, "a"}, {301, "b"}, {501, "c"}};

TEST(lineage, names_the_timeline_of_each_event) {
  EXPECT_EQ(timeline_at(original, 0), "");
  EXPECT_EQ(timeline_at(original, 1), "a");
  EXPECT_EQ(timeline_at(original, 300), "a");
  EXPECT_EQ(timeline_at(original, 301), "b");
  EXPECT_EQ(timeline_at(original, 9'999), "c");
  EXPECT_EQ(timeline_at({}, 7), "");
}

struct fork_case {
  const char* what;
  lineage mine;
  log_offset mine_end;
  lineage theirs;
  log_offset theirs_end;
  log_offset common;
};

TEST(lineage, two_logs_are_the_same_up_to_the_end_of_their_last_common_timeline) {
  const fork_case cases[] = {
      {"the same log", original, 600, original, 700, 600},
      {"restored and begun anew", original, 600, {{1, "a"}, {251, "d"}}, 900, 250},
      {"restored while a timeline was going on",
       original,
       600,
       {{1, "a"}, {301, "b"}, {401, "d"}},
       900,
       400},
      {"restored, and nothing was written since", original, 600, {{1, "a"}, {301, "b"}}, 400, 400},
      {"the follower is behind the fork", {{1, "a"}}, 200, {{1, "a"}, {251, "d"}}, 900, 200},
      {"lost and rebuilt", original, 600, {{1, "x"}}, 900, 0},
      {"nothing is known of one of them", {}, 600, {{1, "x"}}, 500, 500},
      {"older timelines were forgotten",
       {{1, "a"}, {301, "b"}},
       400,
       {{301, "b"}, {501, "c"}},
       900,
       400},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(common_end(c.mine, c.mine_end, c.theirs, c.theirs_end), c.common) << c.what;
    EXPECT_EQ(common_end(c.theirs, c.theirs_end, c.mine, c.mine_end), c.common) << c.what;
  }
}

TEST(lineage, goes_into_a_row_and_comes_back) {
  EXPECT_EQ(lineage_from(to_text(original)), original);
  EXPECT_EQ(lineage_from(""), lineage{});
  for (const auto* text : {"a", "1", "@a", "0@a", "1@a,1@b", "5@a,4@b", "1@a,,2@b"})
    EXPECT_THROW(lineage_from(text), decode_error) << text;
}

class log_with_timelines : public testing::Test {
 protected:
  void append(int events) {
    commit c{.of = service::payment};
    for (int i = 0; i < events; ++i) c.events.push_back(R"({"eventType":"Paid"})");
    write(c);
  }
  void begin() {
    commit c{.of = service::payment};
    c.rows.push_back(begin_timeline(*data->read(), service::payment));
    write(c);
  }
  void write(const commit& c) {
    const commit* batch[] = {&c};
    ASSERT_EQ(data->write(batch).front(), commit_result{});
  }
  lineage timelines() { return stored_lineage(*data->read(), service::payment); }
  event_batch pull(const log_position& at) {
    return read_log(*data->read(), service::payment, timelines(), at.query(100, {}));
  }

  std::unique_ptr<store> data = make_table_store(make_memory_tables(), {service::payment});
};

TEST_F(log_with_timelines, begins_one_at_each_start_that_is_followed_by_an_event) {
  append(2);  // written by a version without timelines
  begin();
  ASSERT_EQ(timelines().size(), 2U);
  EXPECT_EQ(timelines()[0].from, 1);
  EXPECT_EQ(timelines()[1].from, 3);
  const auto before = timelines();
  begin();
  EXPECT_EQ(timelines().size(), 2U);
  EXPECT_NE(timelines()[1].id, before[1].id);
  append(1);
  begin();
  EXPECT_EQ(timelines().size(), 3U);
}

TEST_F(log_with_timelines, a_follower_of_the_same_log_goes_on_over_restarts) {
  begin();
  append(2);
  log_position at;
  at = at.behind(pull(at));
  begin();
  append(2);
  const auto batch = pull(at);
  EXPECT_FALSE(batch.forked);
  at = at.behind(batch);
  EXPECT_EQ(at.next, 5);
  EXPECT_EQ(at.seen, timelines());
}

// The timeline of an empty log gives way to that of the next start; a follower that had remembered
// it took the same log for another one.
TEST_F(log_with_timelines, a_follower_that_read_nothing_has_seen_no_timeline) {
  log_position at;
  for (int start = 0; start < 2; ++start) {
    begin();
    const auto batch = pull(at);
    EXPECT_FALSE(batch.forked);
    EXPECT_TRUE(batch.timelines.empty());
    at = at.behind(batch);
  }
  append(1);
  at = at.behind(pull(at));
  EXPECT_EQ(at.seen, timelines());
  append(1);
  EXPECT_FALSE(pull(at).forked);
}

// A restored log grows to the old length: after six events, a restore of the first three, and four
// new events, a follower by offset alone would silently skip the first three new events.
TEST_F(log_with_timelines, a_restored_log_that_is_as_long_again_is_not_taken_for_the_same) {
  begin();
  append(6);
  log_position at;
  at = at.behind(pull(at));
  data = make_table_store(make_memory_tables(), {service::payment});
  commit restored{.of = service::payment};
  restored.rows.push_back({row_space::meta, std::string(log_timelines_key), to_text(at.seen)});
  restored.events.assign(3, R"({"eventType":"Paid"})");
  write(restored);
  begin();
  append(4);
  const auto batch = pull(at);
  EXPECT_TRUE(batch.forked);
  EXPECT_TRUE(batch.events.empty());
  const auto back = at.behind_common(batch);
  EXPECT_EQ(back.next, 4);
  const auto rest = pull(back);
  EXPECT_FALSE(rest.forked);
  EXPECT_EQ(rest.events.size(), 4U);
}

TEST_F(log_with_timelines, a_log_that_ends_before_the_position_is_noticed_without_any_timeline) {
  append(2);
  const auto batch = pull({.next = 5});
  EXPECT_TRUE(batch.forked);
  EXPECT_EQ(log_position{.next = 5}.behind_common(batch).next, 3);
}

TEST_F(log_with_timelines, a_position_moves_only_from_where_it_is_stored) {
  std::vector<row_write> rows;
  const log_position start, then{.next = 3, .seen = original}, later{.next = 5, .seen = original};
  const auto move = [&](const log_position& from, const log_position& to) {
    commit c{.of = service::payment};
    move_position(c.rows, "x-follows-y", from, to);
    const commit* batch[] = {&c};
    return data->write(batch).front();
  };
  EXPECT_EQ(move(start, then), commit_result{});
  EXPECT_EQ(move(start, then), errc::conflicting_commit) << "by another consumer of that name";
  EXPECT_EQ(move(then, later), commit_result{});
  EXPECT_EQ(stored_position(*data->read(), service::payment, "x-follows-y"), later);
  EXPECT_EQ(move(later, start), commit_result{});
  EXPECT_EQ(stored_position(*data->read(), service::payment, "x-follows-y").next, 1);
  EXPECT_EQ(move(start, then), commit_result{});
}

TEST_F(log_with_timelines, keeps_the_last_thousand) {
  lineage many;
  for (int i = 1; i <= 1'000; ++i) many.push_back({i, "t" + std::to_string(i)});
  commit c{.of = service::payment};
  c.rows.push_back({row_space::meta, std::string(log_timelines_key), to_text(many)});
  c.events.assign(1'001, R"({"eventType":"Paid"})");
  write(c);
  begin();
  const auto kept = timelines();
  ASSERT_EQ(kept.size(), 1'000U);
  EXPECT_EQ(kept.front().id, "t2");
  EXPECT_EQ(kept.back().from, 1'002);
  event_batch batch;
  batch.next = 1'003;
  batch.timelines = {{1'001, "x"}};
  const auto moved = log_position{.next = 1'001, .seen = many}.behind(batch);
  ASSERT_EQ(moved.seen.size(), 1'000U);
  EXPECT_EQ(moved.seen.front().id, "t2");
  EXPECT_EQ(moved.seen.back().id, "x");
}

TEST_F(log_with_timelines, a_row_that_holds_none_is_damage) {
  commit c{.of = service::payment};
  c.rows.push_back({row_space::meta, std::string(log_timelines_key), "nonsense"});
  write(c);
  EXPECT_THROW(timelines(), decode_error);
}

TEST_F(log_with_timelines, a_batch_brings_those_of_its_events_and_of_the_one_before) {
  for (int start = 0; start < 3; ++start) {
    begin();
    append(2);
  }
  const auto all = timelines();
  ASSERT_EQ(all.size(), 3U);
  const auto brought = [&](log_offset from, std::size_t limit) {
    return read_log(*data->read(), service::payment, all, {from, limit, {}}).timelines;
  };
  EXPECT_EQ(brought(1, 2), (lineage{all[0]}));
  EXPECT_EQ(brought(3, 2), (lineage{all[0], all[1]}));
  EXPECT_EQ(brought(5, 9), (lineage{all[1], all[2]}));
  EXPECT_EQ(brought(5, 0), all) << "a question for the timelines alone";
  const log_position at{.next = all[1].from, .seen = all};
  EXPECT_EQ(at.query(1, {}).timeline, all[0].id) << "of the last event that was read";
}

TEST_F(log_with_timelines, a_damaged_fork_is_remembered_by_its_key) {
  const log_fork met{"x-follows-y", "y", 6, 3, 3, "2026-11-22T12:00:00.000Z"};
  auto row = fork_row(met);
  row.value = "{}x";
  commit c{.of = service::payment};
  c.rows.push_back(row);
  write(c);
  const auto remembered = stored_forks(*data->read(), service::payment, "x-follows-y");
  ASSERT_EQ(remembered.size(), 1U);
  EXPECT_TRUE(remembered[0].damaged);
  EXPECT_EQ(remembered[0].consumer, met.consumer);
  EXPECT_EQ(remembered[0].known, met.known);
  EXPECT_EQ(remembered[0].common, met.known) << "as if nothing were lost";
  EXPECT_EQ(remembered[0].at, met.at);
}

// The second of them took the place of the first, of which nothing was said any more.
TEST_F(log_with_timelines, two_forks_behind_the_same_event_are_both_remembered) {
  const std::vector<log_fork> met = {
      {"x-follows-y", "y", 6, 3, 3, "2026-11-22T12:00:00.000Z"},
      {"x-follows-y", "y", 6, 4, 4, "2026-11-23T12:00:00.000Z"},
      {"x-follows-y", "y", 5, 2, 2, "2026-11-24T12:00:00.000Z"},
  };
  commit c{.of = service::payment};
  for (const auto& fork : met) c.rows.push_back(fork_row(fork));
  write(c);
  const auto remembered = stored_forks(*data->read(), service::payment, "x-follows-y");
  ASSERT_EQ(remembered.size(), met.size());
  for (std::size_t i = 0; i < met.size(); ++i) EXPECT_EQ(to_json(remembered[i]), to_json(met[i]));
}

}  // namespace
}  // namespace skanu
