// Commits of an LMDB store that fail on their last step, or for a file that may not be longer.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "persistence/lmdb_tables.hpp"
#include "persistence/table_store.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/store_backends.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

std::atomic<bool> meta_pages_fail = false;

}  // namespace

// LMDB calls this in place of the C library's. Less than a page in front is one of its meta pages.
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  if (meta_pages_fail && at < 2 * 4096 && size < 4096) {
    errno = EIO;
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

// It was answered as certainly not done, and a crash may bring it back.
TEST(lmdb_commit, whose_last_step_fails_has_an_unknown_outcome) {
  const temporary_folder folder;
  auto data = make_table_store(open_lmdb_tables(folder.path().string(), services), services);
  ASSERT_EQ(write(*data, appending(10)), std::nullopt);
  meta_pages_fail = true;
  EXPECT_EQ(write(*data, appending(10)), errc::outcome_unknown);
  meta_pages_fail = false;
  EXPECT_EQ(write(*data, appending(10)), errc::store_failed) << "this one was not even begun";
  data.reset();
  data = make_table_store(open_lmdb_tables(folder.path().string(), services), services);
  EXPECT_EQ(write(*data, appending(10)), std::nullopt);
}

/// How long the file gets by many commits that each replace the same value, when another process
/// was killed while it read.
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

// A limit on the length of files ended the process.
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
