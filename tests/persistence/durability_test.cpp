// Flushes, crashes and several processes: no loss of acknowledged commits.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <random>

#include "tests/persistence/durability_fixture.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/flush_watch.hpp"

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

INSTANTIATE_TEST_SUITE_P(all, durability, testing::ValuesIn(durable_backends()),
                         testing::PrintToStringParamName());

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

}  // namespace
}  // namespace skanu
