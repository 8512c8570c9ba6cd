// SQLite's and LMDB's own files: each backend refuses another program's file and takes every
// reader.
#include <lmdb.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <random>

#include "persistence/document.hpp"
#include "tests/persistence/full_store.hpp"
#include "tests/support/child_process.hpp"

namespace skanu {
namespace {

class sqlite_file : public testing::Test {
 protected:
  std::unique_ptr<store> open() const { return backend_.open(folder_.path(), services, 0); }

  /// Runs SQL from outside the store.
  void run(const std::string& sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  fs::path file() const { return folder_.path() / backend_.file; }

  void expect_refused_because(const std::string& why) const {
    try {
      open();
      ADD_FAILURE() << "opened";
    } catch (const store_error& e) {
      EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
    }
  }

  const store_backend backend_ = all_backends().at(1);
  const temporary_folder folder_;
};

// SQLite only.

TEST_F(sqlite_file, of_another_program_is_refused_and_left_alone) {
  run("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
  const auto before = bytes_of(file());
  expect_refused_because("another program");
  EXPECT_TRUE(bytes_of(file()) == before) << "it was changed";
}

TEST_F(sqlite_file, of_a_newer_version_is_refused) {
  open();
  run("PRAGMA user_version = 2");
  expect_refused_because("version 2");
}

TEST_F(sqlite_file, gone_while_its_write_ahead_log_is_there_is_refused) {
  replace_bytes(file().string() + "-wal", "what was acknowledged");
  expect_refused_because("write-ahead log");
  EXPECT_EQ(bytes_of(file().string() + "-wal"), "what was acknowledged");
}

TEST_F(sqlite_file, emptied_while_its_write_ahead_log_is_there_is_refused) {
  replace_bytes(file(), "");
  replace_bytes(file().string() + "-wal", "what was acknowledged");
  expect_refused_because("cut off");
  EXPECT_EQ(bytes_of(file().string() + "-wal"), "what was acknowledged");
}

TEST_F(sqlite_file, is_readable_with_the_shell) {
  const auto opened = open();
  const auto c = commit_maker(order).next(42);
  ASSERT_EQ(opened->write(std::vector{&c}).at(0), std::nullopt);
  run(R"(CREATE TEMP TABLE shown AS SELECT hex(key) AS k, 
                substr(value, 1, length(value) - 9) ->> '$.data.id' AS id
           FROM "order.entities";
         CREATE TEMP TABLE right (x CHECK (x = 1));
         INSERT INTO right SELECT count(*) FROM shown
           WHERE k = '000000000000002A' AND id = 42)");
}

TEST_F(sqlite_file, keeps_its_write_ahead_log_small_under_readers_without_a_pause) {
  const auto opened = open();
  std::atomic<bool> done = false;
  std::vector<std::future<void>> readers;
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  for (int i = 0; i < 3; ++i)
    readers.push_back(std::async(std::launch::async, [&] {
      while (!done && std::chrono::steady_clock::now() < give_up)
        opened->read()->list(order, {.limit = 100});
    }));
  std::uintmax_t largest = 0;
  for (int round = 0; round < 60; ++round) {
    commit c;
    for (int i = 0; i < 60; ++i)
      c.rows.push_back({row_space::rows, std::to_string(i), std::string(20'000, 'x')});
    EXPECT_EQ(opened->write(std::vector{&c}).at(0), std::nullopt);
    largest = std::max(largest, fs::file_size(file().string() + "-wal"));
  }
  done = true;
  for (auto& r : readers) r.get();
  EXPECT_LT(largest, 32U << 20) << "60 times more than a megabyte was written";
}

TEST_F(sqlite_file, with_flipped_bytes_anywhere_never_crashes_the_program) {
  {
    const auto opened = open();
    commit_maker orders(order);
    std::vector<commit> commits;
    for (entity_id id = 1; id <= 1000; ++id) commits.push_back(orders.next(id));
    std::vector<const commit*> batch;
    for (const auto& c : commits) batch.push_back(&c);
    opened->write(batch);
  }
  const auto whole = bytes_of(file());
  std::mt19937 random(20'221'015);  // fixed seed: the same damage in every run
  for (int round = 0; round < 60; ++round) {
    auto damaged = whole;
    const auto at = std::uniform_int_distribution<std::size_t>(0, whole.size() - 1)(random);
    const auto length = std::size_t{1} << (round % 10);
    for (auto i = at; i < std::min(at + length, whole.size()); ++i)
      damaged[i] = static_cast<char>(random());
    replace_bytes(file(), damaged);
    child_process user([&] { return use_all_of(backend_, folder_.path()); });
    EXPECT_EQ(user.wait(), 0) << length << " bytes at " << at;
    for (const auto* beside : {"-wal", "-shm"}) fs::remove(file().string() + beside);
  }
}

TEST_F(sqlite_file, has_room_again_where_rows_were_erased) {
  const auto limited = backend_.open(folder_.path(), services, 1 << 20);
  entity_id next = 1;
  write_until_full(*limited, next);
  commit less;
  for (entity_id id = 1; id < next; ++id)
    less.rows.push_back({row_space::rows, "row " + std::to_string(id), std::nullopt});
  EXPECT_EQ(limited->write(std::vector{&less}).at(0), std::nullopt);
  const auto c = large_commit(next);
  EXPECT_EQ(limited->write(std::vector{&c}).at(0), std::nullopt);
}

// LMDB only.

TEST(lmdb_folder, gives_every_reader_a_place_on_a_full_disk) {
  const auto backend = all_backends().at(2);
  const temporary_folder folder;
  const small_disk disk(folder.path());
  child_process reader([&] {
    const auto opened = backend.open(folder.path(), services, 0);
    fill_up(folder.path());
    std::vector<std::unique_ptr<snapshot>> held;
    for (int i = 0; i < 1000; ++i) held.push_back(opened->read());
    return held.back()->log_end(order) == 0 ? 0 : 1;
  });
  EXPECT_EQ(reader.wait(), 0);
}

TEST(lmdb_folder, is_opened_again_after_pages_were_added_and_given_up_in_one_transaction) {
  const auto backend = all_backends().at(2);
  const temporary_folder folder;
  std::mt19937 random(18);  // a seed whose transactions leave the file short
  for (int round = 1; round <= 60; ++round) {
    const auto opened = backend.open(folder.path(), services, 0);
    commit coming, going;
    const auto rows = std::uniform_int_distribution<int>(1, 200)(random);
    for (int i = 0; i < rows; ++i) {
      const auto key = ordered_key(round * 1000 + i);
      coming.rows.push_back({row_space::operations, key, std::string(300, 'x')});
      if (round % 2 == 0) going.rows.push_back({row_space::operations, key, std::nullopt});
    }
    EXPECT_EQ(opened->write(std::vector{&coming, &going}), std::vector<commit_result>(2));
  }
}

TEST(lmdb_folder, of_another_program_is_refused_and_left_alone) {
  const auto backend = all_backends().at(2);
  const temporary_folder folder;
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_open(env, folder.path().c_str(), 0, 0644), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, nullptr, 0, &dbi), 0);
  MDB_val bytes{5, const_cast<char*>("hello")};
  ASSERT_EQ(mdb_put(txn, dbi, &bytes, &bytes, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
  const auto before = bytes_of(folder.path() / backend.file);
  EXPECT_THROW(backend.open(folder.path(), services, 0), store_error);
  EXPECT_TRUE(bytes_of(folder.path() / backend.file) == before) << "it was changed";
}

}  // namespace
}  // namespace skanu
