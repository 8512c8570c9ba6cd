// Random commits and reads: every backend behaves like the model of a store.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/seed.hpp"
#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {

// Comparisons for EXPECT_EQ.
static bool operator==(const stored_entity& a, const stored_entity& b) {
  return a.id == b.id && a.document == b.document;
}
static bool operator==(const logged_event& a, const logged_event& b) {
  return a.offset == b.offset && a.body == b.body;
}
static bool operator==(const stored_row& a, const stored_row& b) {
  return a.key == b.key && a.value == b.value;
}

namespace {

constexpr int batches = 250;
constexpr entity_id most_entities = 12;
const std::vector<service> services = {service::order, service::stamp};

class random_commits {
 public:
  explicit random_commits(std::uint64_t seed) : random_(seed) {}

  /// A number from 0 to `below` - 1.
  std::int64_t pick(std::int64_t below) {
    return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_);
  }
  bool one_in(std::int64_t n) { return pick(n) == 0; }
  service any_service() { return services[static_cast<std::size_t>(pick(2))]; }
  entity_id any_id() { return 1 + pick(most_entities); }
  std::uint8_t any_status() { return static_cast<std::uint8_t>(pick(4)); }
  row_space any_space() { return static_cast<row_space>(pick(5)); }

  std::string any_key() {
    constexpr std::string_view letters("ab\0\xff", 4);
    std::string key = "k";
    for (auto length = pick(4); length > 0; --length)
      key += letters[static_cast<std::size_t>(pick(4))];
    return key;
  }

  /// A commit that mostly suits the model's present state.
  commit next(const store_model& now) {
    commit c;
    c.of = any_service();
    if (one_in(30)) c.epoch = pick(4);
    if (one_in(10)) c.requires_entity = entity_name{any_service(), any_id()};
    const auto first = any_id();
    for (entity_id id = first; id < first + pick(3); ++id)
      c.changes.push_back(change(now, c.of, id));
    for (auto n = pick(4); n > 0; --n)
      c.events.push_back("event " + std::to_string(pick(1'000'000)) +
                         std::string(static_cast<std::size_t>(pick(200)), '.'));
    for (auto n = pick(3); n > 0; --n) {
      row_write row{any_space(), any_key(), std::to_string(pick(1000)), one_in(3)};
      if (one_in(4)) row.value.reset();
      c.rows.push_back(std::move(row));
    }
    return c;
  }

 private:
  entity_change change(const store_model& now, service of, entity_id id) {
    const auto before = now.now(of, id);
    entity_change change;
    change.id = id;
    change.expected = one_in(10) ? pick(6) : before.version;
    change.next = one_in(8) ? change.expected : change.expected + 1 + pick(2);
    change.document = std::make_shared<const std::string>(sample_document(of, id, change.next));
    change.status_before = before.status;
    change.listed_before = before.listed;
    change.status = any_status();
    change.listed = !one_in(4);
    return change;
  }

  std::mt19937_64 random_;
};

class store_agrees_with_the_model : public testing::TestWithParam<store_backend> {};

INSTANTIATE_TEST_SUITE_P(all, store_agrees_with_the_model, testing::ValuesIn(all_backends()),
                         testing::PrintToStringParamName());

void expect_equal_reads(const snapshot& found, const snapshot& expected, random_commits& random) {
  const auto s = random.any_service();
  const auto id = random.pick(most_entities + 2);
  EXPECT_EQ(found.entity(s, id), expected.entity(s, id));
  EXPECT_EQ(found.listed_entity(s, id), expected.listed_entity(s, id));

  list_query query;
  if (random.one_in(2)) query.status = random.any_status();
  query.after = random.pick(most_entities + 2);
  query.descending = random.one_in(2);
  query.skip = static_cast<std::size_t>(random.pick(4));
  query.limit = static_cast<std::size_t>(random.pick(6));
  EXPECT_EQ(found.list(s, query), expected.list(s, query));
  EXPECT_EQ(found.count(s, query.status), expected.count(s, query.status));
  EXPECT_EQ(found.tombstones(s, id, query.limit), expected.tombstones(s, id, query.limit));
  const index_entry after_entry{random.any_status(), random.pick(most_entities + 2)};
  EXPECT_EQ(found.status_index(s, after_entry, query.limit),
            expected.status_index(s, after_entry, query.limit));

  const auto end = expected.log_end(s);
  EXPECT_EQ(found.log_end(s), end);
  const auto from = random.pick(end + 3);
  const auto bytes = static_cast<std::size_t>(random.pick(2000));
  EXPECT_EQ(found.events(s, from, query.limit, bytes),
            expected.events(s, from, query.limit, bytes));

  const auto space = random.any_space();
  const auto key = random.any_key(), prefix = random.any_key();
  const auto after = random.one_in(2) ? std::string() : random.any_key();
  EXPECT_EQ(found.row(s, space, key), expected.row(s, space, key));
  EXPECT_EQ(found.rows(s, space, prefix, after, query.limit, query.descending),
            expected.rows(s, space, prefix, after, query.limit, query.descending));
}

TEST_P(store_agrees_with_the_model, whatever_is_written_and_read) {
  const auto seed = seed_of_this_run();
  SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  random_commits random(seed);
  const temporary_folder folder;
  auto tested = GetParam().open(folder.path(), services, 0);
  store_model model;
  std::unique_ptr<snapshot> held = tested->read();
  store_model held_model = model;

  for (int i = 0; i < batches && !testing::Test::HasFailure(); ++i) {
    std::vector<commit> commits;
    std::vector<commit_result> expected;
    for (auto n = 1 + random.pick(5); n > 0; --n) {
      commits.push_back(random.next(model));
      expected.push_back(model.apply(commits.back()));
    }
    std::vector<const commit*> batch;
    for (const auto& c : commits) batch.push_back(&c);
    ASSERT_EQ(tested->write(batch), expected) << "batch " << i;

    auto now = tested->read();
    for (int n = 0; n < 3; ++n) expect_equal_reads(*now, model, random);
    expect_equal_reads(*held, held_model, random);
    if (random.one_in(20)) {
      EXPECT_EQ(contents_of(*now, services), contents_of(model, services));
      held = tested->read();
      held_model = model;
    }
    if (GetParam().durable && random.one_in(40)) {
      now.reset();
      held.reset();
      tested.reset();  // a snapshot ends before its store
      tested = GetParam().open(folder.path(), services, 0);
      held = tested->read();
      held_model = model;
    }
  }
  EXPECT_EQ(contents_of(*tested->read(), services), contents_of(model, services));
}

}  // namespace
}  // namespace skanu
