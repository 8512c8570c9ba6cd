// A rebuilt index fits the documents: the audit finds damage before and none after.
#include <gtest/gtest.h>

#include <algorithm>

#include "actors/rules/listing.hpp"
#include "persistence/tables/lmdb_tables.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/sqlite_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/actors/audit/shop_tables.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

std::string entry(int status, entity_id id) { return static_cast<char>(status) + ordered_key(id); }

/// The sums of the changes in a rebuild of every service.
index_changes rebuild(store& data) {
  index_changes all;
  for (const auto s : data.services()) {
    const auto changes = data.rebuild_index(s, listing_in);
    all.documents += changes.documents;
    all.moved += changes.moved;
    all.added += changes.added;
    all.removed += changes.removed;
    all.counts += changes.counts;
    all.unreadable += changes.unreadable;
  }
  return all;
}

/// "moved added removed counts unreadable"
std::string text_of(const index_changes& c) {
  std::string text;
  for (const auto n : {c.moved, c.added, c.removed, c.counts, c.unreadable})
    text += std::to_string(n) + ' ';
  return text;
}

struct damage {
  std::string name;
  void (*inflict)(small_shop&);
  std::string changes;
};

std::ostream& operator<<(std::ostream& out, const damage& d) { return out << d.name; }

class index_rebuild : public testing::TestWithParam<damage> {};

TEST_P(index_rebuild, makes_it_sound) {
  small_shop shop;
  fill(shop);
  GetParam().inflict(shop);
  EXPECT_FALSE(shop.audit().sound()) << "nothing to repair";
  EXPECT_EQ(text_of(rebuild(shop.data())), GetParam().changes);
  const auto report = shop.audit();
  EXPECT_TRUE(report.sound()) << report.to_json();
  EXPECT_EQ(text_of(rebuild(shop.data())), "0 0 0 0 0 ") << "a second rebuild finds nothing";
}

const damage damages[] = {
    {"a lost entry of an order",
     [](small_shop& shop) { shop.erase(index_of(order), entry(1, placed)); }, "0 1 0 0 0 "},
    {"a lost entry of a payment",
     [](small_shop& shop) { shop.erase(index_of(payment), entry(1, placed)); }, "0 1 0 0 0 "},
    {"a lost entry of a delivery",
     [](small_shop& shop) { shop.erase(index_of(delivery), entry(1, preparing)); }, "0 1 0 0 0 "},
    {"a lost entry of an account",
     [](small_shop& shop) { shop.erase(index_of(stamp), entry(1, account)); }, "0 1 0 0 0 "},
    {"a lost entry of a trace",
     [](small_shop& shop) { shop.erase(index_of(ordertrace), entry(1, placed)); }, "0 1 0 0 0 "},
    {"an entry under another status",
     [](small_shop& shop) { shop.put(index_of(order), entry(2, placed), ""); }, "0 0 1 0 0 "},
    {"an entry in place of the right one",
     [](small_shop& shop) {
       shop.erase(index_of(delivery), entry(2, ready_without_phone));
       shop.put(index_of(delivery), entry(3, ready_without_phone), "");
     },
     "0 1 1 0 0 "},
    {"an entry of nothing", [](small_shop& shop) { shop.put(index_of(order), entry(2, 77), ""); },
     "0 0 1 0 0 "},
    {"an entry of a tombstone",
     [](small_shop& shop) { shop.put(index_of(order), entry(3, rejected_unopened), ""); },
     "0 0 1 0 0 "},
    {"a wrong count", [](small_shop& shop) { shop.put(meta(order), "count:1", "17"); },
     "0 0 0 1 0 "},
    {"a lost count", [](small_shop& shop) { shop.erase(meta(payment), "count:2"); }, "0 0 0 1 0 "},
    {"a count of a status that nothing has",
     [](small_shop& shop) { shop.put(meta(order), "count:9", "3"); }, "0 0 0 1 0 "},
    {"a count that is no number",
     [](small_shop& shop) { shop.put(meta(order), "count:1", "many"); }, "0 0 0 1 0 "},
    {"a count of no status", [](small_shop& shop) { shop.put(meta(order), "count:x", "1"); },
     "0 0 0 1 0 "},
    {"a damaged count", [](small_shop& shop) { shop.put_as_it_is(meta(order), "count:1", "3"); },
     "0 0 0 1 0 "},
    {"a tombstone that is listed",
     [](small_shop& shop) {
       const auto key = ordered_key(rejected_unopened);
       shop.put(entities(order), key, shop.value(tombstones(order), key));
       shop.erase(tombstones(order), key);
     },
     "1 0 0 0 0 "},
    {"a listed entity that is a tombstone as well",
     [](small_shop& shop) {
       const auto key = ordered_key(placed);
       shop.put(tombstones(order), key, shop.value(entities(order), key));
     },
     "1 0 0 0 0 "},
    {"a listed entity that is a tombstone alone",
     [](small_shop& shop) {
       const auto key = ordered_key(placed);
       shop.put(tombstones(order), key, shop.value(entities(order), key));
       shop.erase(entities(order), key);
     },
     "1 0 0 0 0 "},
};

std::string name_of_case(const testing::TestParamInfo<damage>& info) {
  auto name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(all, index_rebuild, testing::ValuesIn(damages), name_of_case);

TEST(index_rebuilds, change_nothing_that_is_right) {
  small_shop shop;
  fill(shop);
  EXPECT_EQ(text_of(rebuild(shop.data())), "0 0 0 0 0 ");
}

TEST(index_rebuilds, leave_the_entries_of_what_cannot_be_read) {
  small_shop shop;
  fill(shop);
  shop.put_as_it_is(entities(order), ordered_key(placed), "damaged");
  shop.erase(index_of(order), entry(1, preparing));
  const auto changes = shop.data().rebuild_index(order, listing_in);
  EXPECT_EQ(text_of(changes), "0 1 0 0 1 ");
  EXPECT_EQ(changes.named, std::vector<entity_id>{placed});
  EXPECT_EQ(shop.value(index_of(order), entry(1, placed)), "");
}

/// More orders than a transaction looks at, recorded or rejected in turn.
void record(store& data, entity_id many) {
  commit all{.of = order};
  for (entity_id id = 1; id <= many; ++id) {
    order_state state;
    state.id = id;
    state.status = id % 2 == 0 ? order_status::rejected : order_status::complete;
    all.changes.push_back(
        {.id = id,
         .next = 1,
         .document = std::make_shared<const std::string>(encode_document(order, 1, state)),
         .status = order_rules::status(state),
         .listed = order_rules::listed(state)});
  }
  const commit* batch[] = {&all};
  ASSERT_EQ(data.write(batch), std::vector<commit_result>{std::nullopt});
}

using table_maker = std::unique_ptr<ordered_tables> (*)(const temporary_folder&);

class index_rebuild_of_many : public testing::TestWithParam<table_maker> {};

TEST_P(index_rebuild_of_many, goes_through_all_of_them) {
  constexpr entity_id many = 2'500;
  const temporary_folder folder;
  auto made = GetParam()(folder);
  auto& tables = *made;
  const auto data = make_table_store(std::move(made), {order});
  record(*data, many);
  {
    const auto writer = tables.begin_write();
    for (entity_id id = 1; id <= many; ++id) writer->erase(index_of(order), entry(1, id));
    for (entity_id id = 1; id <= many; ++id)
      writer->put(index_of(order), entry(2, id), "", put_mode::any);
    writer->erase(meta(order), "count:1");
    writer->commit();
  }
  const auto changes = data->rebuild_index(order, listing_in);
  EXPECT_EQ(changes.documents, many);
  EXPECT_EQ(text_of(changes), "0 1250 2500 1 0 ");
  const auto now = data->read();
  EXPECT_EQ(now->count(order, {}), many / 2);
  EXPECT_EQ(now->list(order, {.status = 1, .limit = many}).size(),
            static_cast<std::size_t>(many / 2));
  EXPECT_TRUE(now->list(order, {.status = 2, .limit = many}).empty());
}

INSTANTIATE_TEST_SUITE_P(
    all, index_rebuild_of_many,
    testing::Values([](const temporary_folder&) { return make_memory_tables(); },
                    [](const temporary_folder& f) {
                      return open_sqlite_tables((f.path() / "s.sqlite3").string(), {order}, 0);
                    },
                    [](const temporary_folder& f) {
                      return open_lmdb_tables(f.path().string(), {order}, 0);
                    }));

}  // namespace
}  // namespace skanu
