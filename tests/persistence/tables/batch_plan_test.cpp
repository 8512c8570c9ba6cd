// A batch of commits is decided without a database: its reads, each commit's result, its writes.
#include "persistence/tables/batch_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace skanu {
namespace {

constexpr auto order = service::order;
constexpr auto payment = service::payment;
constexpr auto conflict = errc::conflicting_commit;

using results = std::vector<commit_result>;
const commit_result stored = std::nullopt;

/// The entity's version after `expected`, listed in a status.
entity_change change(entity_id id, version_number expected, std::uint8_t before = 0,
                     std::uint8_t after = 1) {
  return {.id = id,
          .expected = expected,
          .next = expected + 1,
          .document = std::make_shared<const std::string>(std::to_string(id) + " v" +
                                                          std::to_string(expected + 1)),
          .status_before = before,
          .status = after,
          .listed_before = before != 0,
          .listed = after != 0};
}

commit of_orders(std::vector<entity_change> changes, std::vector<row_write> rows = {}) {
  return {.of = order, .changes = std::move(changes), .rows = std::move(rows)};
}

row_write put(std::string key, std::string value) {
  return {row_space::rows, std::move(key), std::move(value)};
}
row_write put_new(std::string key, std::string value = "new") {
  return {row_space::rows, std::move(key), std::move(value), true};
}
row_write replace(std::string key, std::string before, std::optional<std::string> after) {
  return {row_space::rows, std::move(key), std::move(after), false, std::move(before)};
}
row_write erase(std::string key) { return {row_space::rows, std::move(key), std::nullopt}; }

/// A database as the plan sees it.
struct stored_things {
  std::map<std::pair<service, entity_id>, version_number> entities = {};
  std::map<std::string, std::string> rows = {};
  std::set<entity_id> damaged_entities = {};
  std::set<std::string> damaged_rows = {};
  std::set<service> damaged_services = {};
};

batch_outcome decide(const std::vector<commit>& batch, const stored_things& there = {}) {
  std::vector<const commit*> pointers;
  for (const auto& c : batch) pointers.push_back(&c);
  batch_plan plan(pointers);
  for (auto& s : plan.reads().services) {
    s.epoch = 1;
    if (s.appends) s.log_end = 40;
    if (there.damaged_services.contains(s.of)) s.failure = errc::damaged;
  }
  for (auto& e : plan.reads().entities) {
    if (const auto found = there.entities.find({e.of, e.id}); found != there.entities.end())
      e.version = found->second;
    if (there.damaged_entities.contains(e.id)) e.failure = errc::damaged;
  }
  for (auto& r : plan.reads().rows) {
    const auto found = there.rows.find(std::string(r.key));
    if (found == there.rows.end()) continue;
    r.text.emplace(r.needs_text ? found->second : std::string());
    if (there.damaged_rows.contains(std::string(r.key))) r.failure = errc::damaged;
  }
  return plan.decide();
}

// --- Results -----------------------------------------------------------------------------------

struct expectation {
  std::string name;
  std::vector<commit> batch;
  results expected;
  stored_things there = {};
};

std::ostream& operator<<(std::ostream& out, const expectation& e) { return out << e.name; }

class batch_plan_results : public testing::TestWithParam<expectation> {};

TEST_P(batch_plan_results, are_these) {
  EXPECT_EQ(decide(GetParam().batch, GetParam().there).results, GetParam().expected);
}

commit with_epoch(std::int64_t epoch) { return {.of = order, .epoch = epoch}; }
commit requiring(service of, entity_id id) {
  return {.of = order, .requires_entity = entity_name{of, id}};
}

const expectation results_of_batches[] = {
    {"nothing", {}, {}},
    {"a new entity", {of_orders({change(1, 0)})}, {stored}},
    {"another version", {of_orders({change(1, 0)})}, {conflict}, {{{{order, 1}, 3}}}},
    {"the version that is there", {of_orders({change(1, 3, 1)})}, {stored}, {{{{order, 1}, 3}}}},
    {"the same id of another service",
     {of_orders({change(1, 0)})},
     {stored},
     {{{{payment, 1}, 3}}}},
    {"one of several entities at another version",
     {of_orders({change(1, 0), change(2, 0)})},
     {conflict},
     {{{{order, 2}, 1}}}},
    {"two commits of one entity that build on each other",
     {of_orders({change(1, 0)}), of_orders({change(1, 1, 1, 2)})},
     {stored, stored}},
    {"two commits of one entity that both begin it",
     {of_orders({change(1, 0)}), of_orders({change(1, 0)})},
     {stored, conflict}},
    {"a commit that builds on a refused one",
     {of_orders({change(1, 5, 1)}), of_orders({change(1, 6, 1)}), of_orders({change(2, 0)})},
     {conflict, conflict, stored}},
    {"a change that is a condition alone",
     {of_orders({{.id = 1, .expected = 2, .next = 2}})},
     {conflict}},
    {"another epoch", {with_epoch(2), with_epoch(1)}, {conflict, stored}},
    {"an entity that is required and not there", {requiring(payment, 7)}, {conflict}},
    {"an entity that is required and there",
     {requiring(payment, 7)},
     {stored},
     {{{{payment, 7}, 1}}}},
    {"an entity that is required and comes earlier",
     {{.of = payment, .changes = {change(7, 0)}}, requiring(payment, 7)},
     {stored, stored}},
    {"an entity that is required and comes later",
     {requiring(payment, 7), {.of = payment, .changes = {change(7, 0)}}},
     {conflict, stored}},
    {"an entity that is required and was refused",
     {{.of = payment, .changes = {change(7, 3)}}, requiring(payment, 7)},
     {conflict, conflict}},
    {"a row that must be new", {of_orders({}, {put_new("a")})}, {stored}},
    {"a row that must be new and is there",
     {of_orders({}, {put_new("a")})},
     {conflict},
     {{}, {{"a", "x"}}}},
    {"an operation that comes twice",
     {of_orders({}, {put_new("a")}), of_orders({}, {put_new("a")})},
     {stored, conflict}},
    {"a row that must be new behind one that erases it",
     {of_orders({}, {erase("a")}), of_orders({}, {put_new("a")})},
     {stored, stored},
     {{}, {{"a", "x"}}}},
    {"a row that must be new behind one without a condition",
     {of_orders({}, {put("a", "x")}), of_orders({}, {put_new("a")})},
     {stored, conflict}},
    {"a row that replaces what is there",
     {of_orders({}, {replace("a", "x", "y")})},
     {stored},
     {{}, {{"a", "x"}}}},
    {"a row that replaces something else",
     {of_orders({}, {replace("a", "y", "z")})},
     {conflict},
     {{}, {{"a", "x"}}}},
    {"a row that replaces nothing", {of_orders({}, {replace("a", "", "x")})}, {stored}},
    {"a row that replaces nothing where there is one",
     {of_orders({}, {replace("a", "", "y")})},
     {conflict},
     {{}, {{"a", "x"}}}},
    {"rows that replace each other",
     {of_orders({}, {replace("a", "x", "y")}), of_orders({}, {replace("a", "y", "z")}),
      of_orders({}, {replace("a", "y", "w")})},
     {stored, stored, conflict},
     {{}, {{"a", "x"}}}},
    {"a row that replaces what a commit without a condition wrote",
     {of_orders({}, {put("a", "y")}), of_orders({}, {replace("a", "y", "z")})},
     {stored, stored},
     {{}, {{"a", "x"}}}},
    {"rows of a refused commit are not seen",
     {of_orders({change(1, 9, 1)}, {put_new("a")}), of_orders({}, {put_new("a")})},
     {conflict, stored}},
    {"the same key in another space",
     {{.of = order, .rows = {{row_space::meta, "a", "x", true}}}, of_orders({}, {put_new("a")})},
     {stored, stored}},
    {"the same key of another service",
     {{.of = payment, .rows = {put_new("a")}}, of_orders({}, {put_new("a")})},
     {stored, stored}},
    {"a damaged entity holds up its own commits alone",
     {of_orders({change(1, 0)}), of_orders({change(2, 0)}), requiring(order, 1)},
     {errc::damaged, stored, errc::damaged},
     {.damaged_entities = {1}}},
    {"a damaged row refuses who compares it",
     {of_orders({}, {replace("a", "x", "y")}), of_orders({}, {put_new("a")}),
      of_orders({}, {put("a", "x")}), of_orders({}, {replace("a", "x", "y")})},
     {errc::damaged, conflict, stored, stored},
     {.rows = {{"a", "x"}}, .damaged_rows = {"a"}}},
    {"a damaged epoch holds up its own service alone",
     {with_epoch(1), {.of = payment}},
     {errc::damaged, stored},
     {.damaged_services = {order}}},
};

std::string name_of_case(const testing::TestParamInfo<expectation>& info) {
  auto name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(all, batch_plan_results, testing::ValuesIn(results_of_batches),
                         name_of_case);

// --- Reads -------------------------------------------------------------------------------------

TEST(batch_plan, reads_each_key_once) {
  const std::vector<commit> batch = {
      of_orders({change(1, 0), change(2, 0)}, {put_new("a"), put("b", "x")}),
      of_orders({change(1, 1, 1)}, {replace("a", "new", "y")}),
      {.of = payment, .events = {"e"}, .requires_entity = entity_name{order, 2}}};
  std::vector<const commit*> pointers;
  for (const auto& c : batch) pointers.push_back(&c);
  batch_plan plan(pointers);
  const auto& reads = plan.reads();
  ASSERT_EQ(reads.entities.size(), 2U);
  EXPECT_EQ(reads.entities[0].id, 1);
  EXPECT_EQ(reads.entities[1].id, 2);
  ASSERT_EQ(reads.rows.size(), 1U) << "a row without a condition needs no reading";
  EXPECT_EQ(reads.rows[0].key, "a");
  EXPECT_TRUE(reads.rows[0].needs_text);
  ASSERT_EQ(reads.services.size(), 2U);
  EXPECT_FALSE(reads.services[0].appends);
  EXPECT_TRUE(reads.services[1].appends);
}

TEST(batch_plan, of_many_keys_reads_each_once) {
  std::vector<commit> batch;
  constexpr std::size_t many = 1'000;
  for (version_number version = 0; version < 2; ++version) {
    for (entity_id id = 1; id <= static_cast<entity_id>(many); ++id) {
      for (const auto s : {order, payment}) {
        const auto key = std::to_string(version) + ' ' + std::to_string(id);
        batch.push_back({.of = s,
                         .changes = {change(id, version, version == 0 ? 0 : 1)},
                         .rows = {put_new(key), {row_space::meta, key, "x", true}}});
      }
    }
  }
  const auto decided = decide(batch);
  EXPECT_EQ(std::ranges::count(decided.results, stored), std::ssize(batch));
  EXPECT_EQ(decided.entities.size(), 2 * many);
}

TEST(batch_plan, tells_equal_ids_of_two_services_apart_wherever_they_are_looked_up) {
  for (entity_id other = 2; other < 100; ++other) {
    const auto decided = decide({{.of = payment, .changes = {change(1, 0)}},
                                 of_orders({change(other, 0)}),
                                 of_orders({change(1, 0)})});
    EXPECT_EQ(decided.entities.size(), 3U) << other;
  }
}

// --- Writes ------------------------------------------------------------------------------------

TEST(batch_plan, writes_an_entity_once_as_its_last_commit_leaves_it) {
  const std::vector<commit> batch{of_orders({change(1, 3, 1, 2)}), of_orders({change(1, 4, 2, 3)})};
  const auto decided = decide(batch, {{{{order, 1}, 3}}});
  ASSERT_EQ(decided.entities.size(), 1U);
  const auto& written = decided.entities.front();
  EXPECT_EQ(written.document, "1 v5");
  EXPECT_EQ(written.status_before, 1);
  EXPECT_EQ(written.status, 3);
  EXPECT_TRUE(written.moves_in_index());
}

TEST(batch_plan, appends_events_without_a_gap_whatever_is_refused) {
  commit first{.of = order, .events = {"a", "b"}}, refused = with_epoch(9), last{.of = order};
  refused.events = {"c"};
  last.events = {"d"};
  const commit other{.of = payment, .events = {"e"}};
  const std::vector<commit> batch = {first, refused, other, last};
  const auto decided = decide(batch);
  std::string written;
  for (const auto& e : decided.events)
    written +=
        std::string(name_of(e.of)) + ' ' + std::to_string(e.offset) + std::string(e.body) + ' ';
  EXPECT_EQ(written, "order 41a order 42b payment 41e order 43d ");
}

TEST(batch_plan, writes_rows_of_the_commits_that_were_not_refused) {
  auto refused = with_epoch(9);
  refused.rows = {put("b", "no")};
  const std::vector<commit> batch = {of_orders({}, {put("a", "1"), put("a", "2")}), refused,
                                     of_orders({}, {erase("c")})};
  const auto decided = decide(batch);
  std::string written;
  for (const auto& r : decided.rows) written += r.row->key + '=' + r.row->value.value_or("-") + ' ';
  EXPECT_EQ(written, "a=1 a=2 c=- ");
}

/// "status:change" of each count that changes.
std::string counts_after(const std::vector<commit>& batch, const stored_things& there = {}) {
  std::string text;
  for (const auto& c : decide(batch, there).counts)
    text += std::to_string(c.status) + ':' + std::to_string(c.by) + ' ';
  return text;
}

TEST(batch_plan, counts_what_enters_and_leaves_a_status) {
  EXPECT_EQ(counts_after({of_orders({change(1, 0, 0, 1)}), of_orders({change(2, 0, 0, 1)})}),
            "1:2 ");
  EXPECT_EQ(counts_after({of_orders({change(1, 1, 1, 2)})}, {{{{order, 1}, 1}}}), "1:-1 2:1 ");
  EXPECT_EQ(counts_after({of_orders({change(1, 1, 1, 1)})}, {{{{order, 1}, 1}}}), "");
  EXPECT_EQ(counts_after({of_orders({change(1, 1, 1, 0)})}, {{{{order, 1}, 1}}}), "1:-1 ")
      << "it is a tombstone from now on";
  EXPECT_EQ(counts_after({of_orders({change(1, 0, 0, 1)}), of_orders({change(1, 1, 1, 2)})}),
            "2:1 ")
      << "what it was in between is not seen";
  EXPECT_EQ(counts_after({of_orders({change(1, 1, 1, 2)}), of_orders({change(2, 1, 2, 1)})},
                         {{{{order, 1}, 1}, {{order, 2}, 1}}}),
            "")
      << "one in and one out";
  EXPECT_EQ(counts_after({of_orders({change(1, 7, 1, 2)})}), "") << "it was refused";
}

TEST(batch_plan, refuses_a_status_that_no_count_has) {
  EXPECT_THROW(decide({of_orders({change(1, 0, 0, batch_plan::status_limit)})}), std::out_of_range);
}

}  // namespace
}  // namespace skanu
