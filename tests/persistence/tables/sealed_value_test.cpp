// Checksums of stored values: reads never return a damaged value, and go on for all other values.
#include "persistence/tables/sealed_value.hpp"

#include <gtest/gtest.h>

#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/small_shop.hpp"

namespace skanu {
namespace {

using namespace stages;

constexpr table orders{service::order, table_kind::entities};
constexpr table order_log{service::order, table_kind::log};
constexpr table order_index{service::order, table_kind::status_index};
constexpr table order_meta{service::order, table_kind::meta};

std::string sealed(table t, std::string_view key, std::string_view value) {
  std::string stored;
  append_sealed(stored, t, key, value);
  return stored;
}

TEST(seal, is_as_every_version_reads_it) {
  EXPECT_EQ(sealed(orders, ordered_key(42), R"({"version":1})"),
            "{\"version\":1}\x1e"
            "fc3aee1e");
  EXPECT_EQ(sealed(order_index, "x", ""),
            "\x1e"
            "694b86e9");
  EXPECT_EQ(sealed(order_meta, "format", "skanu 2"), "skanu 2");
}

TEST(seal, sees_every_flipped_bit_and_every_other_place) {
  seals strict, lax;
  lax.allow_unsealed(service::order);
  for (const auto& [t, key, value] :
       {std::tuple{orders, ordered_key(42), std::string(R"({"version":1})")},
        std::tuple{order_meta, std::string("epoch"), std::string("17")}}) {
    const auto stored = sealed(t, key, value);
    EXPECT_EQ(strict.open(t, key, stored), value);
    EXPECT_EQ(strict.open({service::payment, t.kind}, key, stored), std::nullopt);
    EXPECT_EQ(strict.open(t, key + "x", stored), std::nullopt);
    for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
      auto flipped = stored;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      EXPECT_EQ(strict.open(t, key, flipped), std::nullopt) << bit;
      EXPECT_EQ(lax.open(t, key, flipped), std::nullopt) << bit;
    }
    for (std::size_t size = 0; size < stored.size(); ++size)
      EXPECT_EQ(strict.open(t, key, stored.substr(0, size)), std::nullopt) << size;
  }
}

TEST(seal, may_be_missing_only_where_a_program_without_checksums_wrote) {
  seals lax;
  lax.allow_unsealed(service::order);
  EXPECT_EQ(seals().open(orders, "k", "{}"), std::nullopt);
  EXPECT_EQ(lax.open(orders, "k", "{}"), "{}");
  EXPECT_EQ(lax.open(orders, "k", "{"), std::nullopt);
  EXPECT_EQ(lax.open(order_meta, "epoch", "1"), "1");
  EXPECT_EQ(lax.open(order_meta, "epoch", "q"), std::nullopt);
  EXPECT_EQ(lax.open({service::payment, table_kind::entities}, "k", "{}"), std::nullopt);
  constexpr table rows{service::order, table_kind::rows};
  for (const auto* whole : {"2", "-2", "{}"}) EXPECT_EQ(lax.open(rows, "k", whole), whole);
  for (const auto* cut : {"", "-", "2x", "{"}) EXPECT_EQ(lax.open(rows, "k", cut), std::nullopt);
}

/// Flips a bit in the middle of a stored value.
void flip(small_shop& shop, table t, std::string_view key) {
  auto stored = sealed(t, key, shop.value(t, key));
  stored[stored.size() / 2] ^= 4;
  shop.put_as_it_is(t, key, stored);
}

/// Moves a stored value to another key, as a flipped bit in the key does.
void flip_key(small_shop& shop, table t, const std::string& key, std::size_t bit) {
  const auto stored = sealed(t, key, shop.value(t, key));
  auto other = key;
  other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << bit % 8));
  shop.erase(t, key);
  shop.put_as_it_is(t, other, stored);
}

class damaged_store : public testing::Test {
 protected:
  damaged_store() { fill(shop); }

  errc code_of(const std::function<void(const snapshot&)>& read) {
    try {
      read(*shop.data().read());
    } catch (const damaged_value& problem) {
      return problem.code();
    }
    ADD_FAILURE() << "it was shown";
    return errc::malformed;
  }

  commit_result write(const commit& c) {
    const commit* one = &c;
    return shop.data().write(std::span(&one, 1)).front();
  }

  small_shop shop;
};

TEST_F(damaged_store, never_shows_a_damaged_document_and_lists_the_others) {
  const auto before = shop.data().read()->page(service::order, {.size = 100});
  flip(shop, orders, ordered_key(placed));
  EXPECT_EQ(code_of([](const snapshot& now) { now.entity(service::order, placed); }),
            errc::damaged);
  EXPECT_EQ(code_of([](const snapshot& now) { now.listed_entity(service::order, placed); }),
            errc::damaged);
  const auto page = shop.data().read()->page(service::order, {.size = 100});
  EXPECT_EQ(page.damaged, std::vector<entity_id>{placed});
  EXPECT_EQ(page.items.size() + 1, before.items.size());
  EXPECT_EQ(page.total, before.total);
  for (const auto& item : page.items) EXPECT_NE(item.id, placed);
}

TEST_F(damaged_store, pages_through_a_list_with_a_damaged_item_without_a_gap) {
  flip(shop, orders, ordered_key(preparing));
  std::vector<entity_id> seen, damaged;
  for (std::optional<entity_id> after = 0; after;) {
    const auto page = shop.data().read()->page(service::order, {.after = after, .size = 1});
    for (const auto& item : page.items) seen.push_back(item.id);
    damaged.insert(damaged.end(), page.damaged.begin(), page.damaged.end());
    after = page.next_after;
  }
  EXPECT_EQ(damaged, std::vector<entity_id>{preparing});
  EXPECT_EQ(seen.size() + 1, shop.data().read()->page(service::order, {.size = 100}).total);
}

TEST_F(damaged_store, refuses_a_change_of_what_is_damaged_and_no_other_of_the_batch) {
  flip(shop, orders, ordered_key(placed));
  const auto kept =
      std::make_shared<const std::string>(R"({"type":"order","schema":1,"version":9})");
  const commit of_it{.of = service::order,
                     .changes = {{.id = placed, .expected = 1, .next = 2, .document = kept}}};
  const commit needs_it{.of = service::payment,
                        .requires_entity = entity_name{service::order, placed}};
  const commit other{.of = service::order, .events = {"{}"}};
  const commit* batch[] = {&of_it, &needs_it, &other};
  EXPECT_EQ(shop.data().write(batch),
            (std::vector<commit_result>{errc::damaged, errc::damaged, std::nullopt}));
}

TEST_F(damaged_store, gives_a_damaged_event_its_place_and_not_its_text) {
  flip(shop, order_log, ordered_key(2));
  const auto events = shop.data().read()->events(service::order, 1, 3);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].offset, 2);
  EXPECT_TRUE(events[1].damaged);
  EXPECT_EQ(events[1].body, "");
  EXPECT_FALSE(events[0].damaged || events[2].damaged);
}

TEST_F(damaged_store, names_a_row_under_a_damaged_key_and_numbers_the_rows_behind_it_rightly) {
  const table rows{service::stamp, table_kind::rows};
  const auto prefix = stamp_rules::ledger_prefix(account);
  const page_query whole{.size = 100};
  const auto before = *shop.data().read()->rows_page(service::stamp, account, prefix, whole);
  ASSERT_GT(before.total, 4);
  for (const std::size_t bit : {0U, 9U, 70U, 8 * 9U + 1, 8 * 16U + 3, 8 * 16U + 4}) {
    small_shop damaged_shop;
    fill(damaged_shop);
    flip_key(damaged_shop, rows, prefix + ordered_key(2), bit);
    for (const bool down : {false, true}) {
      for (const std::size_t size : {1U, 2U, 100U}) {
        std::vector<entity_id> numbers, damaged;
        for (std::optional<entity_id> after = 0; after;) {
          const auto page = *damaged_shop.data().read()->rows_page(
              service::stamp, account, prefix, {.after = after, .size = size, .descending = down});
          for (const auto& item : page.items) {
            numbers.push_back(item.id);
            EXPECT_EQ(item.document, before.items[static_cast<std::size_t>(item.id - 1)].document);
          }
          damaged.insert(damaged.end(), page.damaged.begin(), page.damaged.end());
          after = page.next_after;
        }
        EXPECT_EQ(damaged, std::vector<entity_id>{2}) << bit << " " << size;
        EXPECT_EQ(std::ssize(numbers), before.total - 1) << bit << " " << size;
      }
    }
  }
}

TEST_F(damaged_store, tells_a_document_under_a_damaged_key_from_one_that_never_was) {
  flip_key(shop, orders, ordered_key(placed), 63 - 7);
  EXPECT_EQ(code_of([](const snapshot& now) { now.entity(service::order, placed); }),
            errc::damaged);
  EXPECT_EQ(code_of([](const snapshot& now) { now.listed_entity(service::order, placed); }),
            errc::damaged);
  EXPECT_EQ(shop.data().read()->entity(service::order, fresh), std::nullopt);
}

TEST_F(damaged_store, tells_a_document_that_only_the_index_knows_from_one_that_never_was) {
  shop.erase(orders, ordered_key(placed));
  EXPECT_EQ(code_of([](const snapshot& now) { now.listed_entity(service::order, placed); }),
            errc::damaged);
  EXPECT_EQ(shop.data().read()->listed_entity(service::order, fresh), std::nullopt);
  const auto page = shop.data().read()->page(
      service::order, {.status = static_cast<std::uint8_t>(order_status::complete), .size = 100});
  EXPECT_EQ(page.damaged, std::vector<entity_id>{placed});
  EXPECT_EQ(std::ssize(page.items) + 1, page.total);
}

TEST_F(damaged_store, names_an_entity_whose_place_in_the_index_is_damaged) {
  const page_query wanted{.status = static_cast<std::uint8_t>(order_status::complete), .size = 100};
  const auto before = shop.data().read()->page(service::order, wanted);
  ASSERT_GT(before.items.size(), 1U);
  flip_key(shop, order_index,
           std::string(1, static_cast<char>(*wanted.status)) + ordered_key(placed), 8 + 7);
  const auto page = shop.data().read()->page(service::order, wanted);
  EXPECT_EQ(page.damaged, std::vector<entity_id>{placed});
  EXPECT_EQ(page.items.size() + 1, before.items.size());
}

TEST_F(damaged_store, shows_an_entry_of_the_index_without_a_checksum) {
  const page_query wanted{.status = static_cast<std::uint8_t>(order_status::complete), .size = 100};
  const auto before = shop.data().read()->page(service::order, wanted).items.size();
  for (const auto& row : shop.all(order_index)) shop.put_as_it_is(order_index, row.key, "");
  EXPECT_EQ(shop.data().read()->page(service::order, wanted).items.size(), before);
  EXPECT_TRUE(shop.audit().sound());
}

TEST_F(damaged_store, gives_an_event_under_a_damaged_key_its_place_and_loses_no_other) {
  const auto all = shop.data().read()->events(service::order, 1, 100);
  const auto last = all.back().offset;
  for (const log_offset offset : {log_offset{1}, log_offset{3}, last}) {
    for (const std::size_t bit : {1U, 62U, 63U}) {
      small_shop damaged;
      fill(damaged);
      flip_key(damaged, order_log, ordered_key(offset), bit);
      const auto now = damaged.data().read();
      EXPECT_EQ(now->log_end(service::order), last) << offset << " " << bit;
      const auto events = now->events(service::order, 1, 100);
      ASSERT_EQ(events.size(), all.size()) << offset << " " << bit;
      for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(events[i].offset, all[i].offset);
        EXPECT_EQ(events[i].damaged, events[i].offset == offset) << offset << " " << bit;
      }
      damaged.append_event(service::order, "{}");
      EXPECT_EQ(damaged.data().read()->log_end(service::order), last + 1) << offset << " " << bit;
      EXPECT_EQ(damaged.data().read()->events(service::order, last + 1, 9).size(), 1U);
    }
  }
}

// A damaged key in the place of a coming event failed every commit of the batch, and the commits of
// its service for ever.
TEST_F(damaged_store, appends_behind_a_damaged_key_and_refuses_nothing_beside) {
  const auto last = shop.data().read()->log_end(service::order);
  for (const std::size_t bit : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
    if ((last >> bit & 1) != 0) continue;  // the key becomes smaller
    small_shop damaged;
    fill(damaged);
    flip_key(damaged, order_log, ordered_key(last), 7 * 8 + bit);
    for (int i = 0; i < 200; ++i) {
      const commit order{.of = service::order, .events = {"{}", "{}"}};
      const commit payment{.of = service::payment, .events = {"{}"}};
      const commit* batch[] = {&order, &payment};
      ASSERT_EQ(damaged.data().write(batch), (std::vector<commit_result>{{}, {}}))
          << bit << " " << i;
    }
    const auto now = damaged.data().read();
    const auto events = now->events(service::order, last, 1'000);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(std::ranges::count_if(events, [](const auto& e) { return !e.damaged; }), 400) << bit;
    EXPECT_TRUE(events.front().damaged) << bit;
    EXPECT_EQ(events.back().offset, now->log_end(service::order)) << bit;
  }
}

TEST_F(damaged_store, gives_a_lost_event_its_place) {
  shop.erase(order_log, ordered_key(3));
  const auto events = shop.data().read()->events(service::order, 2, 3);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].offset, 3);
  EXPECT_TRUE(events[1].damaged);
  EXPECT_FALSE(events[0].damaged || events[2].damaged);
}

TEST_F(damaged_store, counts_anew_where_a_counts_key_is_damaged) {
  const auto all = shop.data().read()->count(service::order, {});
  for (const auto& row : shop.all(order_meta))
    if (row.key.starts_with("count:")) flip_key(shop, order_meta, row.key, 6 * 8 + 6);
  EXPECT_EQ(shop.data().read()->count(service::order, {}), all);
  EXPECT_EQ(
      shop.data().read()->count(service::order, static_cast<std::uint8_t>(order_status::complete)),
      std::ssize(
          shop.data()
              .read()
              ->page(service::order,
                     {.status = static_cast<std::uint8_t>(order_status::complete), .size = 100})
              .items));
}

TEST_F(damaged_store, counts_anew_where_a_count_is_damaged_and_mends_it) {
  const auto all = shop.data().read()->count(service::order, {});
  for (const auto& row : shop.all(order_meta))
    if (row.key.starts_with("count:")) flip(shop, order_meta, row.key);
  EXPECT_EQ(shop.data().read()->count(service::order, {}), all);
  EXPECT_FALSE(shop.audit().sound());
  shop.place(fresh);
  EXPECT_EQ(shop.data().read()->count(service::order, {}), all + 1);
}

TEST_F(damaged_store, refuses_changes_where_its_epoch_is_damaged) {
  flip(shop, order_meta, "epoch");
  EXPECT_EQ(write({.of = service::order, .events = {"{}"}}), errc::damaged);
  EXPECT_EQ(write({.of = service::payment, .events = {"{}"}}), std::nullopt);
}

TEST_F(damaged_store, has_every_flipped_value_named_by_the_audit) {
  for (const auto kind : {table_kind::entities, table_kind::tombstones, table_kind::log,
                          table_kind::rows, table_kind::meta}) {
    for (const auto s : all_services) {
      const table t{s, kind};
      for (const auto& row : shop.all(t)) {
        if (row.key == format_key) continue;
        const auto before = sealed(t, row.key, row.value);
        flip(shop, t, row.key);
        const auto report = shop.audit();
        EXPECT_EQ(std::ranges::count(report.violations(), 0, &violation::invariant), 1)
            << name_of(t) << report.to_json();
        shop.put_as_it_is(t, row.key, before);
      }
    }
  }
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

/// Tables in the format of the previous version.
struct old_tables {
  old_tables() {
    auto owned = make_memory_tables();
    tables = owned.get();
    store = make_table_store(std::move(owned), {service::order});
    put(order_meta, "format", "skanu 1");
    put(order_meta, "epoch", "1");
    put(order_meta, "count:1", "1");
    put(orders, ordered_key(1), document);
    put({service::order, table_kind::status_index}, std::string("\x01") + ordered_key(1), "");
    put(order_log, ordered_key(1), R"({"eventType":"Ordered"})");
  }
  void put(table t, std::string_view key, std::string_view value) const {
    const auto writer = tables->begin_write();
    writer->put(t, key, value, put_mode::any);
    writer->commit();
  }
  std::string get(table t, std::string_view key) const {
    return std::string(tables->begin_read()->get(t, key).value_or("none"));
  }
  /// Opens the same tables again.
  std::unique_ptr<skanu::store> opened() const;

  const std::string document = R"({"type":"order","schema":1,"version":1,"data":{}})";
  ordered_tables* tables = nullptr;
  std::unique_ptr<skanu::store> store;
};

/// Lends tables without owning them.
class lent_tables final : public ordered_tables {
 public:
  explicit lent_tables(ordered_tables& owner) : owner_(owner) {}
  std::unique_ptr<table_writer> begin_write() override { return owner_.begin_write(); }
  std::unique_ptr<table_reader> begin_read() const override { return owner_.begin_read(); }
  std::unique_ptr<ordered_tables> make_empty(const std::string& f,
                                             const std::vector<service>& s) const override {
    return owner_.make_empty(f, s);
  }

 private:
  ordered_tables& owner_;
};

std::unique_ptr<skanu::store> old_tables::opened() const {
  return make_table_store(std::make_unique<lent_tables>(*tables), {service::order});
}

TEST(an_old_database, is_read_as_it_is_and_not_changed_by_reading) {
  const old_tables old;
  const auto data = old.opened();
  EXPECT_EQ(data->read()->entity(service::order, 1), old.document);
  EXPECT_EQ(data->read()->count(service::order, {}), 1);
  EXPECT_EQ(old.get(order_meta, "format"), "skanu 1");
  const auto checks = data->read()->check_values(service::order);
  EXPECT_EQ(checks[0].without_checksum, 1);
  EXPECT_EQ(checks[0].damaged, 0);
}

TEST(an_old_database, is_of_the_new_format_from_its_first_write_on) {
  const old_tables old;
  const commit c{.of = service::order, .events = {"{}"}};
  const commit* one = &c;
  ASSERT_EQ(old.opened()->write(std::span(&one, 1)).front(), std::nullopt);
  EXPECT_EQ(old.get(order_meta, "format"), "skanu 2");
  const auto again = old.opened();
  EXPECT_EQ(again->read()->entity(service::order, 1), old.document);
  EXPECT_EQ(again->read()->events(service::order, 1, 9).size(), 2U);
  EXPECT_TRUE(has_seal(old.get(order_log, ordered_key(2))));
  EXPECT_FALSE(has_seal(old.get(order_log, ordered_key(1))));
}

TEST(an_old_database, shows_no_value_that_does_not_look_whole) {
  const old_tables old;
  old.put(orders, ordered_key(1), old.document.substr(0, 20));
  EXPECT_THROW(old.opened()->read()->entity(service::order, 1), damaged_value);
}

TEST(a_new_database, takes_a_value_without_a_checksum_for_damage) {
  small_shop shop;
  shop.place(1);
  shop.put_as_it_is(orders, ordered_key(1), shop.value(orders, ordered_key(1)));
  EXPECT_THROW(shop.data().read()->entity(service::order, 1), damaged_value);
}

TEST(a_database, whose_format_is_gone_is_not_taken_for_a_new_one) {
  small_shop shop;
  shop.place(1);
  shop.erase(order_meta, format_key);
  const old_tables old;
  const auto writer = old.tables->begin_write();
  writer->erase(order_meta, format_key);
  writer->commit();
  EXPECT_THROW(old.opened(), store_error);
}

}  // namespace
}  // namespace skanu
