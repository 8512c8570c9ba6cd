// Commits of an LMDB store that fail at the last step, or at a limit on the file's length.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <utility>

#include "persistence/tables/lmdb_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/flush_watch.hpp"
#include "tests/support/store_backends.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

/// Failure of the next writes of a meta page. LMDB restores the previous page with a second write.
struct meta_failure {
  int why = EIO;
  bool wrote_all = false;  ///< The call writes the whole page, and still fails.
  bool wrote_half = false;
};

std::atomic<int> meta_failures = 0;  ///< Failures still to come.
meta_failure how;

}  // namespace

// LMDB calls this function in place of the C library's. A write of less than a page near the front
// of the file is a write of a meta page.
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  if (at < 2 * 4096 && size < 4096 && meta_failures > 0) {
    --meta_failures;
    if (how.wrote_half) return ::syscall(SYS_pwrite64, fd, bytes, size / 2, at);
    if (std::exchange(how.wrote_all, false)) ::syscall(SYS_pwrite64, fd, bytes, size, at);
    errno = how.why;
    return -1;
  }
  return ::syscall(SYS_pwrite64, fd, bytes, size, at);
}

namespace skanu {
namespace {

using namespace std::chrono_literals;

constexpr service order = service::order;
const std::vector<service> services = {order};

commit appending(std::size_t size) {
  commit c{.of = order};
  c.events.emplace_back(size, 'x');
  return c;
}

commit_result write(store& to, const commit& c) {
  const commit* one = &c;
  return to.write(std::span(&one, 1)).front();
}

class lmdb_commit_whose_last_step_fails : public testing::Test {
 protected:
  lmdb_commit_whose_last_step_fails() { EXPECT_EQ(write(*data, appending(10)), std::nullopt); }
  ~lmdb_commit_whose_last_step_fails() override { meta_failures = 0; }

  void fail(int times, meta_failure as) {
    how = as;
    meta_failures = times;
  }
  log_offset end() const { return data->read()->log_end(order); }
  log_offset end_after_a_restart() {
    data.reset();
    data = make_table_store(open_lmdb_tables(folder.path().string(), services), services);
    return end();
  }

  const temporary_folder folder;
  std::unique_ptr<store> data =
      make_table_store(open_lmdb_tables(folder.path().string(), services), services);
};

// One failed step must not close the database for good: the store opens itself again.
TEST_F(lmdb_commit_whose_last_step_fails, is_certainly_not_done_and_the_next_one_is) {
  for (const auto& as :
       {meta_failure{EIO}, meta_failure{ENOSPC}, meta_failure{.wrote_half = true}}) {
    const auto before = end();
    fail(1, as);
    const auto result = write(*data, appending(10));
    EXPECT_TRUE(result == errc::store_failed || result == errc::store_full) << as.why;
    EXPECT_EQ(meta_failures, 0);
    EXPECT_TRUE(data->is_open());
    EXPECT_EQ(end(), before);
    EXPECT_EQ(write(*data, appending(10)), std::nullopt);
    EXPECT_EQ(end(), before + 1);
    EXPECT_EQ(end_after_a_restart(), before + 1);
  }
}

TEST_F(lmdb_commit_whose_last_step_fails, is_done_where_it_is_found_on_the_disk) {
  fail(2, {.wrote_all = true});
  EXPECT_EQ(write(*data, appending(10)), std::nullopt);
  EXPECT_EQ(end(), 2);
  EXPECT_EQ(end_after_a_restart(), 2);
}

TEST_F(lmdb_commit_whose_last_step_fails, is_unknown_as_long_as_the_disk_fails) {
  fail(1'000, {});
  EXPECT_EQ(write(*data, appending(10)), errc::outcome_unknown);
  EXPECT_FALSE(data->is_open());
  EXPECT_THROW(data->read(), store_error);
  EXPECT_EQ(write(*data, appending(10)), errc::store_failed) << "this one was not even begun";
  meta_failures = 0;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!data->is_open() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(end(), 1);
  EXPECT_EQ(write(*data, appending(10)), std::nullopt);
  EXPECT_EQ(end_after_a_restart(), 2);
}

TEST_F(lmdb_commit_whose_last_step_fails, waits_for_whoever_reads_and_keeps_others_out) {
  auto reading = data->read();
  std::thread writer([&] {
    fail(1, {});
    EXPECT_EQ(write(*data, appending(10)), errc::store_failed);
  });
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (data->is_open() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(data->is_open());
  EXPECT_EQ(reading->log_end(order), 1) << "it goes on to see its own moment";
  reading.reset();
  writer.join();
  EXPECT_TRUE(data->is_open());
  EXPECT_EQ(end(), 1);
}

/// Length of the database's file at its last flush.
std::uintmax_t flushed_length = 0;

// A file grows ahead of its pages, so that a commit's own flush has no new length to write.
TEST(lmdb_commit, leaves_the_file_flushed_at_its_new_length) {
  const temporary_folder folder;
  const auto file = folder.path() / "data.mdb";
  const auto data = make_table_store(open_lmdb_tables(folder.path().string(), services), services);
  const auto before = std::filesystem::file_size(file);
  flush_watch = [](int fd) {
    struct stat now {};
    if (::fstat(fd, &now) == 0) flushed_length = static_cast<std::uintmax_t>(now.st_size);
  };
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(write(*data, appending(1'000'000)), std::nullopt);
    EXPECT_EQ(flushed_length, std::filesystem::file_size(file)) << i;
  }
  flush_watch = nullptr;
  EXPECT_GT(flushed_length, before) << "this test shows nothing";
}

/// The file's length after many commits that replace the same value, beside a reader process killed
/// while reading.
std::uintmax_t length_beside_a_killed_reader(std::chrono::milliseconds reader_check) {
  const temporary_folder folder;
  number_pipe reading;
  child_process other([&] {
    const auto data = open_lmdb_tables(folder.path().string(), services);
    const auto moment = data->begin_read();
    reading.write(1);
    return ::pause();
  });
  EXPECT_TRUE(reading.read(20s));
  const auto data =
      open_lmdb_tables(folder.path().string(), services, 0, page_use::scattered, reader_check);
  other.kill();
  EXPECT_EQ(other.wait(), -SIGKILL);
  for (int i = 0; i < 200; ++i) {
    const auto writer = data->begin_write();
    writer->put({order, table_kind::rows}, "key", std::string(100'000, 'x'), put_mode::any);
    writer->commit();
  }
  return std::filesystem::file_size(folder.path() / "data.mdb");
}

TEST(lmdb_commit, beside_a_reader_that_was_killed_does_not_lengthen_the_file_for_ever) {
  EXPECT_GT(length_beside_a_killed_reader(1h), 20'000'000U) << "this test shows nothing";
  EXPECT_LT(length_beside_a_killed_reader(0ms), 12'000'000U);
}

class file_limit : public testing::TestWithParam<store_backend> {};
INSTANTIATE_TEST_SUITE_P(all, file_limit, testing::ValuesIn(durable_backends()),
                         [](const auto& one) { return one.param.name; });

// A limit on the length of files must not end the process.
TEST_P(file_limit, is_met_as_a_full_store) {
  const temporary_folder folder;
  child_process limited([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit longest{12'000'000, 12'000'000};
    ::setrlimit(RLIMIT_FSIZE, &longest);
    for (const auto* name : {"100000", "13000000"})
      std::filesystem::create_directory(folder.path() / name);
    for (const std::size_t size : {100'000, 13'000'000}) {
      const auto data = GetParam().open(folder.path() / std::to_string(size), services, 0);
      commit_result result;
      for (int i = 0; i < 500 && !result; ++i) result = write(*data, appending(size));
      if (result != errc::store_full) return result ? 1 + static_cast<int>(*result) : 50;
    }
    return 0;
  });
  EXPECT_EQ(limited.wait(), 0);
}

}  // namespace
}  // namespace skanu
