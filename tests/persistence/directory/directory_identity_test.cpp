// The identity of a data directory, whatever a kill leaves of the start that wrote it.
#include "persistence/directory/directory_identity.hpp"

#include <gtest/gtest.h>

#include "persistence/directory/data_directory.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/tables/faulty_store.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"

namespace skanu {
namespace {

class two_databases : public testing::Test {
 protected:
  void begin_with_delivery() {
    databases.clear();
    stores.clear();
    add("sqlite", {service::delivery});
  }
  void add_the_others() { add("lmdb", {service::order, service::payment}); }

  void add(const std::string& name, std::vector<service> services) {
    auto faulty =
        std::make_unique<faulty_store>(make_table_store(make_memory_tables(), std::move(services)));
    stores.push_back(faulty.get());
    databases.push_back({name, std::move(faulty)});
  }

  /// A start that is killed once so many of its writes are stored; false where it came to its end.
  bool killed_behind(int writes) {
    int begun = 0;
    for (auto* each : stores)
      each->inject({.times = 1'000, .when = [&](const commit& c) {
                      // Each database's batch is looked at from its first service on.
                      begun += c.of == service::delivery || c.of == service::order;
                      return begun > writes;
                    }});
    bool killed = false;
    try {
      begin_run(databases, read_identity(databases));
    } catch (const store_error&) {
      killed = true;
    }
    for (auto* each : stores) each->heal();
    return killed;
  }

  std::optional<std::string> row(service s, std::string_view key) {
    return stores[s == service::delivery ? 0 : 1]->read()->row(s, row_space::meta, key);
  }

  std::vector<database> databases;
  std::vector<faulty_store*> stores;
};

// A start that was killed between the databases' first rows left a directory that every later start
// refused: the database without an identity was taken for a lost one.
TEST_F(two_databases, a_first_start_that_is_killed_at_any_write_loses_nothing) {
  for (int writes = 0;; ++writes) {
    begin_with_delivery();
    add_the_others();
    const bool killed = killed_behind(writes);
    const auto found = read_identity(databases);
    EXPECT_TRUE(found.lost.empty()) << "killed behind write " << writes;
    begin_run(databases, found);
    EXPECT_TRUE(read_identity(databases).lost.empty());
    for (const auto s : {service::delivery, service::order, service::payment})
      EXPECT_EQ(row(s, directory_id_key), found.id) << name_of(s) << " behind write " << writes;
    if (!killed) {
      EXPECT_EQ(writes, 4) << "two of each database";
      return;
    }
  }
}

TEST_F(two_databases, a_database_that_comes_later_is_killed_at_any_write_and_not_lost) {
  for (int writes = 0;; ++writes) {
    begin_with_delivery();
    begin_run(databases, read_identity(databases));
    add_the_others();
    const bool killed = killed_behind(writes);
    EXPECT_TRUE(read_identity(databases).lost.empty()) << "killed behind write " << writes;
    if (!killed) return;
  }
}

TEST_F(two_databases, one_that_was_there_and_has_no_rows_any_more_is_lost) {
  begin_with_delivery();
  add_the_others();
  begin_run(databases, read_identity(databases));
  databases.pop_back();
  stores.pop_back();
  add_the_others();
  EXPECT_EQ(read_identity(databases).lost, (std::vector{service::order, service::payment}));
}

}  // namespace
}  // namespace skanu
