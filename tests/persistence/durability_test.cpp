// Damage, lack of room, lack of permission and crashes: a clear error, and no loss of acknowledged
// commits.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <random>

#include "persistence/document.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/flush_watch.hpp"
#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

std::atomic<int> flushes = 0;
std::atomic<int> flush_error = 0;  ///< The errno of every flush; 0: flushes succeed.

int flush_or_fail(long call, int fd) {
  ++flushes;
  if (skanu::flush_watch != nullptr) skanu::flush_watch(fd);
  if (const int failure = flush_error) {
    errno = failure;
    return -1;
  }
  return static_cast<int>(::syscall(call, fd));
}

}  // namespace

// The databases' libraries call these functions in place of the C library's.
extern "C" int fsync(int fd) { return flush_or_fail(SYS_fsync, fd); }
extern "C" int fdatasync(int fd) { return flush_or_fail(SYS_fdatasync, fd); }

namespace skanu {

void (*flush_watch)(int fd) = nullptr;

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto deadline = 20s;
constexpr service order = service::order;
const std::vector<service> services = {order};

std::string bytes_of(const fs::path& file) {
  std::string bytes(fs::file_size(file), '\0');
  std::ifstream(file, std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

/// The size up to the last page in use; a file may end in empty pages.
std::size_t size_in_use(const std::string& file) {
  return (file.find_last_not_of('\0') / 4096 + 1) * 4096;
}

void replace_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// Drops root's right to read and write every file, for the object's lifetime.
class without_root_powers {
 public:
  without_root_powers() { ::setfsuid(65534); }
  ~without_root_powers() { ::setfsuid(0); }
  without_root_powers(const without_root_powers&) = delete;
  without_root_powers& operator=(const without_root_powers&) = delete;
};

class durability : public testing::TestWithParam<store_backend> {
 protected:
  std::unique_ptr<store> open(std::int64_t max_bytes = 0) const {
    return GetParam().open(folder(), services, max_bytes);
  }

  virtual fs::path folder() const { return folder_.path(); }
  fs::path file() const { return folder() / GetParam().file; }

  /// Makes a store of a few hundred pages, and closes the store.
  void fill() {
    const auto filled = open();
    std::vector<commit> commits;
    for (entity_id id = 1; id <= 1000; ++id) commits.push_back(orders_.next(id));
    std::vector<const commit*> batch;
    for (const auto& c : commits) batch.push_back(&c);
    for (const auto& result : filled->write(batch)) ASSERT_EQ(result, std::nullopt);
    ASSERT_EQ(filled->write(std::vector{&batch_of_one_}), std::vector<commit_result>(1));
  }

  /// Demands a clear, one-line store_error from opening and reading the whole store.
  void expect_refused(const std::string& why = "") const {
    try {
      const auto opened = open();
      contents_of(*opened->read(), services);
      ADD_FAILURE() << "opened and read";
    } catch (const store_error& e) {
      EXPECT_EQ(e.code(), errc::store_failed);
      const std::string said = e.what();
      EXPECT_NE(said.find(folder().string()), said.npos) << said;
      EXPECT_NE(said.find(why), said.npos) << said;
      EXPECT_EQ(said.find('\n'), said.npos) << said;
    }
  }

  /// Writes `damaged` to the file, and demands a refusal that leaves the file unchanged. Then
  /// restores the bytes, and demands a whole store.
  void expect_refused_and_untouched(const std::string& damaged) const {
    const auto whole = bytes_of(file());
    replace_bytes(file(), damaged);
    expect_refused();
    EXPECT_TRUE(bytes_of(file()) == damaged) << "it was changed";
    replace_bytes(file(), whole);
    EXPECT_EQ(open()->read()->count(order, {}), 1000);
  }

  const temporary_folder folder_;
  commit_maker orders_{order};
  commit batch_of_one_{.events = {"last"}};
};

INSTANTIATE_TEST_SUITE_P(all, durability, testing::ValuesIn(durable_backends()),
                         testing::PrintToStringParamName());

// Damage.

TEST_P(durability, a_file_with_a_damaged_front_is_refused) {
  fill();
  auto damaged = bytes_of(file());
  for (std::size_t i = 0; i < 2 * 4096; ++i) damaged[i] = static_cast<char>(i * 31 + 7);
  expect_refused_and_untouched(damaged);
}

TEST_P(durability, a_truncated_file_is_refused) {
  fill();
  const auto whole = bytes_of(file());
  const auto used = size_in_use(whole);
  for (const auto size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{4096},
                          used / 2, used / 2 / 4096 * 4096, used - 4096}) {
    SCOPED_TRACE(testing::Message() << size << " of " << used << " bytes");
    expect_refused_and_untouched(whole.substr(0, size));
  }
}

TEST_P(durability, something_else_in_the_files_place_is_refused) {
  for (const auto& other : {std::string("#!/bin/sh\necho hello\n"), std::string(20'000, 'x'),
                            std::string(20'000, '\0')}) {
    replace_bytes(file(), other);
    expect_refused();
    EXPECT_TRUE(bytes_of(file()) == other) << "it was changed";
  }
  fs::remove(file());
  fs::create_directory(file());
  expect_refused();
  EXPECT_TRUE(fs::is_directory(file()));
}

/// Reads the whole store and writes one commit; tolerates a store_error.
int use_all_of(const store_backend& backend, const fs::path& folder) {
  try {
    const auto opened = backend.open(folder, services, 0);
    contents_of(*opened->read(), services);
    const auto c = commit_maker(order).next(2000);
    opened->write(std::vector{&c});
  } catch (const store_error&) {
  }
  return 0;
}

TEST_P(durability, flipped_bytes_in_stored_values_never_crash_the_program) {
  fill();
  const auto whole = bytes_of(file());
  std::mt19937 random(20'221'015);  // fixed seed: the same damage in every run
  std::size_t at = size_in_use(whole) / 3;
  for (int round = 0; round < 20; ++round) {
    at = whole.find(R"("version":)", at + 5000);
    ASSERT_NE(at, whole.npos);
    auto damaged = whole;
    for (std::size_t i = at; i < at + 12; ++i) damaged[i] = static_cast<char>(random());
    replace_bytes(file(), damaged);
    child_process user([&] { return use_all_of(GetParam(), folder()); });
    EXPECT_EQ(user.wait(), 0) << "damage at " << at;
  }
}

TEST_P(durability, a_store_of_a_newer_program_is_refused) {
  {
    const auto opened = open();
    const commit newer{.rows = {{row_space::meta, "format", "skanu 3"}}};
    ASSERT_EQ(opened->write(std::vector{&newer}).at(0), std::nullopt);
  }
  EXPECT_THROW(open(), store_error);
}

// Permission.

TEST_P(durability, a_store_that_cannot_be_written_is_refused) {
  fill();
  const auto whole = bytes_of(file());
  fs::permissions(folder(), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  for (const auto mode : {fs::perms::others_read, fs::perms::none}) {
    fs::permissions(file(), fs::perms::owner_read | mode);
    const without_root_powers as_anybody;
    expect_refused("ermission");
  }
  EXPECT_TRUE(bytes_of(file()) == whole) << "it was changed";
  fs::permissions(file(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(open()->read()->count(order, {}), 1000);
}

TEST_P(durability, a_folder_where_nothing_can_be_made_is_refused) {
  fs::permissions(folder(), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                fs::perms::others_exec);
  {
    const without_root_powers as_anybody;
    expect_refused("ermission");
  }
  fs::permissions(folder(), fs::perms::owner_all);
}

// Room.

/// An order's first commit, of several pages.
commit large_commit(entity_id id) {
  auto c = commit_maker(order).next(id);
  c.rows = {{row_space::rows, "row " + std::to_string(id), std::string(10'000, 'x')}};
  return c;
}

/// Writes orders from `next` on until the store is full. All acknowledged orders must then be
/// readable. Afterwards `next` is the refused order.
void write_until_full(store& s, entity_id& next) {
  commit_result result;
  while (!result && next < 100'000) {
    const auto c = large_commit(next);
    result = s.write(std::vector{&c}).at(0);
    if (!result) ++next;
  }
  ASSERT_EQ(result, errc::store_full);
  const auto now = s.read();
  EXPECT_EQ(now->count(order, {}), next - 1);
  EXPECT_EQ(now->log_end(order), next - 1);
  EXPECT_EQ(now->entity(order, next), std::nullopt);
  EXPECT_EQ(now->row(order, row_space::rows, "row " + std::to_string(next)), std::nullopt);
  for (entity_id id = 1; id < next; ++id)
    ASSERT_EQ(now->entity(order, id), sample_document(order, id, 1));
}

TEST_P(durability, a_full_store_refuses_writes_and_goes_on_reading_until_there_is_room) {
  entity_id next = 1;
  {
    const auto limited = open(1 << 20);
    write_until_full(*limited, next);
    ASSERT_GT(next, 20);
    const auto c = large_commit(next), other = large_commit(next + 1);
    EXPECT_EQ(limited->write(std::vector{&c, &other}),
              std::vector<commit_result>(2, errc::store_full));
  }
  const auto larger = open(2 << 20);
  const auto c = large_commit(next);
  EXPECT_EQ(larger->write(std::vector{&c}).at(0), std::nullopt);
  EXPECT_EQ(larger->read()->count(order, {}), next);
}

/// The test's own small file system, where the system permits mounting.
class small_disk {
 public:
  explicit small_disk(fs::path at)
      : at_(std::move(at)),
        mounted_(::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=6m,mode=755") == 0) {}
  ~small_disk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  explicit operator bool() const { return mounted_; }

 private:
  fs::path at_;
  bool mounted_;
};

/// Uses up the free space of a small disk; does not touch a large disk.
void fill_up(const fs::path& folder) {
  if (fs::space(folder).available > 64U << 20) return;
  std::ofstream rest(folder / "rest", std::ios::binary);
  while (rest << std::string(4096, 'x') && rest.flush()) {
  }
}

TEST_P(durability, a_full_disk_refuses_writes_and_goes_on_reading_until_there_is_room) {
  const small_disk disk(folder());
  // Without a mounted disk, the store's own limit stands in, and a larger limit makes room.
  auto opened = open(disk ? 0 : 1 << 20);
  const auto ballast = folder() / "ballast";
  if (disk) replace_bytes(ballast, std::string(2 << 20, 'x'));
  entity_id next = 1;
  for (int round = 0; round < 3; ++round) {
    write_until_full(*opened, next);
    std::vector<std::unique_ptr<snapshot>> held;
    std::vector<std::future<std::int64_t>> readers;
    for (int i = 0; i < 12; ++i) {
      readers.push_back(
          std::async(std::launch::async, [&] { return opened->read()->count(order, {}); }));
      held.push_back(opened->read());
    }
    for (auto& r : readers) EXPECT_EQ(r.get(), next - 1);
  }
  if (disk) {
    fs::remove(ballast);
  } else {
    opened.reset();
    opened = open(2 << 20);
  }
  const auto c = large_commit(next);
  EXPECT_EQ(opened->write(std::vector{&c}).at(0), std::nullopt) << "writing goes on";
  EXPECT_EQ(opened->read()->count(order, {}), next);
  opened.reset();
  EXPECT_EQ(open(disk ? 0 : 2 << 20)->read()->count(order, {}), next) << "all of it is there";
}

TEST_P(durability, a_store_can_be_opened_and_read_on_a_full_disk) {
  const small_disk disk(folder());
  entity_id next = 1;
  {
    const auto opened = open(disk ? 0 : 1 << 20);
    write_until_full(*opened, next);
  }
  fill_up(folder());
  const auto opened = open(disk ? 0 : 1 << 20);
  EXPECT_EQ(opened->read()->count(order, {}), next - 1);
}

// Flushes.

TEST_P(durability, every_commit_is_flushed_before_it_is_acknowledged) {
  const auto opened = open();
  for (entity_id id = 1; id <= 20; ++id) {
    const auto before = flushes.load();
    const auto c = orders_.next(id);
    ASSERT_EQ(opened->write(std::vector{&c}).at(0), std::nullopt);
    EXPECT_GT(flushes, before);
  }
}

TEST_P(durability, a_commit_whose_flush_fails_is_not_acknowledged_and_gone_unless_unknown) {
  const auto first = orders_.next(1), second = orders_.next(2);
  child_process writer([&] {
    auto* opened = open().release();  // not closed: the process ends as in a crash
    if (opened->write(std::vector{&first}).at(0)) return 101;
    flush_error = EIO;
    const auto result = opened->write(std::vector{&second}).at(0);
    if (opened->read()->entity(order, 2)) return 102;
    return result ? static_cast<int>(*result) : 103;
  });
  const auto told = writer.wait();
  ASSERT_TRUE(told == static_cast<int>(errc::outcome_unknown) ||
              told == static_cast<int>(errc::store_failed))
      << told;
  const auto opened = open();
  EXPECT_EQ(opened->read()->entity(order, 1), *first.changes[0].document);
  if (told == static_cast<int>(errc::store_failed)) {
    EXPECT_EQ(opened->read()->entity(order, 2), std::nullopt) << "nothing was done";
  }
}

// Crashes.

/// Writes orders in sequence, from the first missing order on, and reports each acknowledged id.
int write_orders(store& s, number_pipe& acknowledged) {
  for (auto id = s.read()->log_end(order) + 1;; ++id) {
    const auto c = commit_maker(order).next(id);
    if (s.write(std::vector{&c}).at(0)) return 1;
    if (!acknowledged.write(id)) return 2;
  }
}

TEST_P(durability, what_was_acknowledged_survives_kill_9_at_any_moment) {
  std::mt19937 random(std::random_device{}());
  std::int64_t last_acknowledged = 0;
  for (int round = 0; round < 10; ++round) {
    number_pipe acknowledged;
    child_process writer([&] {
      acknowledged.only_writes();
      return write_orders(*open(), acknowledged);
    });
    acknowledged.only_reads();
    const auto until = last_acknowledged + std::uniform_int_distribution<int>(1, 100)(random);
    while (last_acknowledged < until) {
      const auto number = acknowledged.read(deadline);
      ASSERT_TRUE(number) << "the writer ended: " << writer.wait();
      last_acknowledged = *number;
    }
    writer.kill();
    EXPECT_EQ(writer.wait(), -SIGKILL);
    while (const auto number = acknowledged.read(0ms)) last_acknowledged = *number;

    const auto opened = open();
    const auto now = opened->read();
    const auto stored = now->log_end(order);
    EXPECT_GE(stored, last_acknowledged);
    EXPECT_LE(stored, last_acknowledged + 1) << "at most the one on its way";
    EXPECT_EQ(now->count(order, {}), stored);
    EXPECT_EQ(now->count(order, 1), stored);
    EXPECT_EQ(static_cast<std::int64_t>(now->list(order, {.status = 1, .limit = 100'000}).size()),
              stored);
    for (entity_id id = 1; id <= stored; ++id)
      ASSERT_EQ(now->entity(order, id), sample_document(order, id, 1));
    last_acknowledged = stored;
  }
}

TEST_P(durability, a_store_killed_while_it_was_first_made_can_be_made_again) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 10; ++round) {
    const temporary_folder fresh;
    number_pipe started;
    child_process maker([&] {
      started.write(0);
      GetParam().open(fresh.path(), services, 0);
      return 0;
    });
    ASSERT_TRUE(started.read(deadline));
    const auto pause =
        std::chrono::microseconds(std::uniform_int_distribution<int>(0, 6000)(random));
    started.read(std::chrono::duration_cast<std::chrono::milliseconds>(pause));
    maker.kill();
    maker.wait();
    EXPECT_NO_THROW(
        EXPECT_EQ(GetParam().open(fresh.path(), services, 0)->read()->log_end(order), 0));
  }
}

// Several processes.

/// Another process that holds the writers from the test's signal until the next signal, or until
/// killed.
class holder_of_writers {
 public:
  explicit holder_of_writers(const std::function<std::unique_ptr<store>()>& open)
      : process_([&] {
          const auto opened = open();
          to_it_.read(deadline);
          const auto held = opened->hold_writers();
          from_it_.write(1);
          to_it_.read(deadline);
          return 0;
        }) {}

  bool hold() {
    to_it_.write(1);
    return from_it_.read(deadline).has_value();
  }
  void release() { to_it_.write(1); }
  void kill() {
    process_.kill();
    process_.wait();
  }

 private:
  number_pipe from_it_, to_it_;
  child_process process_;
};

TEST_P(durability, writers_of_other_processes_are_held_out_too) {
  open();
  holder_of_writers holder([this] { return open(); });
  const auto opened = open();
  ASSERT_TRUE(holder.hold());
  const auto c = orders_.next(1);
  auto writing =
      std::async(std::launch::async, [&] { return opened->write(std::vector{&c}).at(0); });
  EXPECT_EQ(writing.wait_for(50ms), std::future_status::timeout);
  EXPECT_EQ(opened->read()->log_end(order), 0) << "reading goes on";
  holder.release();
  ASSERT_EQ(writing.wait_for(deadline), std::future_status::ready);
  EXPECT_EQ(writing.get(), std::nullopt);
}

TEST_P(durability, a_process_killed_while_it_holds_writers_holds_nobody_up) {
  open();
  holder_of_writers holder([this] { return open(); });
  const auto opened = open();
  ASSERT_TRUE(holder.hold());
  holder.kill();
  const auto c = orders_.next(1);
  EXPECT_EQ(opened->write(std::vector{&c}).at(0), std::nullopt);
}

TEST_P(durability, another_process_reads_what_is_durable_beside_the_writer) {
  const auto opened = open();
  number_pipe seen, go_on;
  const auto first = orders_.next(1);
  ASSERT_EQ(opened->write(std::vector{&first}).at(0), std::nullopt);
  // The forked child must use only its own store, never the parent's open store.
  child_process reader([&] {
    const auto theirs = GetParam().open(folder(), services, 0);
    seen.write(theirs->read()->log_end(order));
    go_on.read(deadline);
    seen.write(theirs->read()->log_end(order));
    return 0;
  });
  EXPECT_EQ(seen.read(deadline), 1);
  const auto second = orders_.next(2);
  ASSERT_EQ(opened->write(std::vector{&second}).at(0), std::nullopt);
  go_on.write(1);
  EXPECT_EQ(seen.read(deadline), 2);
}

// SQLite only.

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
