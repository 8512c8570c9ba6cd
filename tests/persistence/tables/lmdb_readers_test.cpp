// Long-lived readers, in this process or another.
#include "persistence/tables/lmdb_readers.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "persistence/tables/lmdb_environment.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

constexpr table rows{service::order, table_kind::rows};

class frozen_reader : public testing::Test {
 protected:
  /// Replaces the same large value `times` times.
  void write(int times) {
    for (int i = 0; i < times; ++i) {
      MDB_txn* txn = begin();
      const std::string text(100'000, 'x');
      MDB_val key = lmdb_value("key"), value = lmdb_value(text);
      ASSERT_EQ(mdb_put(txn, in_.handle_of(rows), &key, &value, 0), MDB_SUCCESS);
      ASSERT_EQ(mdb_txn_commit(txn), MDB_SUCCESS);
    }
  }

  void look(std::chrono::seconds at) { readers_.look_closely(in_, "lmdb", began_ + at); }

  reader_figures figures(std::chrono::seconds at) { return readers_.look(in_.env(), began_ + at); }

  MDB_txn* begin() {
    MDB_txn* txn = nullptr;
    EXPECT_EQ(mdb_txn_begin(in_.env(), nullptr, 0, &txn), MDB_SUCCESS);
    return txn;
  }

  const temporary_folder folder_;
  lmdb_environment in_{{folder_.path().string(), {service::order}}};
  lmdb_readers readers_;
  const lmdb_readers::time_point began_ = std::chrono::steady_clock::now();
};

// A frozen reader makes data.mdb grow without end, so the log must name the reader's process.
TEST_F(frozen_reader, in_another_process_is_measured_and_after_a_minute_named) {
  number_pipe reading;
  child_process other([&] {
    const lmdb_environment own({folder_.path().string(), {service::order}});
    MDB_txn* txn = nullptr;
    if (mdb_txn_begin(own.env(), nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return 1;
    reading.write(::getpid());
    return ::pause();
  });
  const auto pid = reading.read(20s);
  ASSERT_TRUE(pid);
  EXPECT_EQ(figures(0s).oldest_seconds, 0) << "nothing was replaced since";
  write(50);
  log_capture log;
  look(0s);
  look(59s);
  EXPECT_EQ(figures(59s).oldest_seconds, 59);
  EXPECT_GE(figures(59s).held_bytes, 49 * 100'000);
  EXPECT_EQ(log.text().find("reader_holds_pages"), std::string::npos);
  look(60s);
  EXPECT_NE(log.text().find("pid=" + std::to_string(*pid) + " process=\"" +
                            process_name(static_cast<int>(*pid))),
            std::string::npos)
      << log.text();
  other.kill();
  other.wait();
  int dead = 0;
  ASSERT_EQ(mdb_reader_check(in_.env(), &dead), MDB_SUCCESS);
  EXPECT_EQ(figures(61s).oldest_seconds, 0);
  EXPECT_EQ(figures(61s).held_bytes, 0);
}

TEST_F(frozen_reader, is_nobody_who_sees_the_last_moment) {
  write(3);
  MDB_txn* txn = in_.take_reader();
  ASSERT_EQ(mdb_txn_renew(txn), MDB_SUCCESS);
  look(0s);
  look(100s);
  EXPECT_EQ(figures(100s).oldest_seconds, 0);
  mdb_txn_reset(txn);
  in_.give_back(txn);
}

}  // namespace
}  // namespace skanu
