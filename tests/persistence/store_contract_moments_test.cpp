// The contract of stores for moments: snapshots, held writers, copies, reopening.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>

#include "tests/persistence/store_contract.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

constexpr auto deadline = 20s;

// Snapshots.

TEST_P(store_contract, a_snapshot_is_of_the_moment_it_was_taken_and_never_changes) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  const auto then = contents();
  const auto unread = store_->read();  // fixed as well, although not read yet
  const auto read = store_->read();
  EXPECT_EQ(contents_of(*read, services_), then);
  for (entity_id id = 1; id <= 200; ++id)
    ASSERT_EQ(write(orders_.next(id, 2, id % 3 != 0)), std::nullopt);
  EXPECT_EQ(contents_of(*read, services_), then);
  EXPECT_EQ(contents_of(*unread, services_), then);
  EXPECT_NE(contents(), then);
}

TEST_P(store_contract, a_snapshot_holds_up_no_writer) {
  const auto held = store_->read();
  EXPECT_EQ(held->log_end(order), 0);
  EXPECT_EQ(write(orders_.next(1)), std::nullopt);
  EXPECT_EQ(store_->read()->log_end(order), 1);
}

TEST_P(store_contract, readers_in_many_threads_see_whole_commits_beside_a_writer) {
  constexpr int commits = 300;
  std::atomic<bool> done = false;
  std::atomic<int> faults = 0;
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  const auto read_on = [&] {
    std::int64_t last = 0;
    while (!done && std::chrono::steady_clock::now() < give_up) {
      const auto now = store_->read();
      const auto all = now->count(order, {});
      const auto row = now->row(order, row_space::rows, "all");
      if (all < last || now->log_end(order) != all || (row ? std::stoll(*row) : 0) != all ||
          now->count(order, 1) + now->count(order, 2) != all ||
          static_cast<std::int64_t>(now->list(order, {.limit = 1000}).size()) != all)
        ++faults;
      last = all;
    }
  };
  std::vector<std::future<void>> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(std::async(std::launch::async, read_on));
  for (int i = 1; i <= commits; ++i) {
    auto c = orders_.next(i, i % 2 == 0 ? 1 : 2);
    c.rows = {{row_space::rows, "all", std::to_string(i)}};
    ASSERT_EQ(write(c), std::nullopt);
  }
  done = true;
  for (auto& r : readers) r.get();
  EXPECT_EQ(faults, 0);
}

// Writers held out, copies, reopening.

TEST_P(store_contract, held_writers_wait_until_they_are_released) {
  auto held = store_->hold_writers();
  const auto c = orders_.next(1);
  auto writing = std::async(std::launch::async, [&] { return write(c); });
  EXPECT_EQ(writing.wait_for(50ms), std::future_status::timeout);
  EXPECT_EQ(store_->read()->log_end(order), 0) << "reading goes on";
  held = {};
  ASSERT_EQ(writing.wait_for(deadline), std::future_status::ready);
  EXPECT_EQ(writing.get(), std::nullopt);
  EXPECT_EQ(store_->read()->log_end(order), 1);
}

TEST_P(durable_store_contract, a_reopened_store_holds_the_same) {
  for (entity_id id = 1; id <= 50; ++id) {
    auto c = orders_.next(id, static_cast<std::uint8_t>(id % 3), id % 5 != 0);
    c.rows = {{row_space::dead_letters, std::to_string(id), "set aside"}};
    ASSERT_EQ(write(c), std::nullopt);
  }
  const auto before = contents();
  reopen();
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(write(orders_.next(50, 2)), std::nullopt) << "versions go on";
  EXPECT_EQ(store_->read()->log_end(order), 51) << "offsets go on";
}

TEST_P(durable_store_contract, a_service_added_later_gets_tables_of_its_own) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  store_.reset();
  store_ = GetParam().open(folder_.path(), {order, stamp, service::payment}, 0);
  EXPECT_EQ(store_->read()->count(order, {}), 1);
  EXPECT_EQ(write(commit_maker(service::payment).next(1)), std::nullopt);
}

TEST_P(durable_store_contract, a_copy_taken_beside_a_writer_is_one_moment_of_the_store) {
  std::atomic<bool> done = false;
  auto copying = std::async(std::launch::async, [&] {
    std::vector<std::unique_ptr<temporary_folder>> copies;
    do {
      copies.push_back(std::make_unique<temporary_folder>());
      store_->copy_to(copies.back()->path().string(), *store_->read());
    } while (!done && copies.size() < 20);
    return copies;
  });
  std::vector<std::string> moments = {contents()};
  for (entity_id id = 1; id <= 40; ++id) {
    ASSERT_EQ(write(orders_.next(id, 1, id % 4 != 0)), std::nullopt);
    moments.push_back(contents());
  }
  done = true;
  for (const auto& copy : copying.get()) {
    const auto copied = GetParam().open(copy->path(), services_, 0);
    EXPECT_NE(std::find(moments.begin(), moments.end(), contents_of(*copied->read(), services_)),
              moments.end());
    EXPECT_EQ(copied->write({}), std::vector<commit_result>{});
  }
}

TEST_P(durable_store_contract, a_copy_can_be_taken_while_writers_are_held) {
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  const temporary_folder to;
  {
    const auto held = store_->hold_writers();
    store_->copy_to(to.path().string(), *store_->read());
  }
  EXPECT_EQ(contents_of(*GetParam().open(to.path(), services_, 0)->read(), services_), contents());
}

TEST_P(durable_store_contract, a_copy_replaces_no_file) {
  const temporary_folder to;
  store_->copy_to(to.path().string(), *store_->read());
  ASSERT_EQ(write(orders_.next(1)), std::nullopt);
  EXPECT_THROW(store_->copy_to(to.path().string(), *store_->read()), store_error);
  EXPECT_EQ(GetParam().open(to.path(), services_, 0)->read()->log_end(order), 0);
}

TEST_P(durable_store_contract, a_copy_to_where_nothing_can_be_written_fails) {
  EXPECT_THROW(store_->copy_to("/proc/skanu", *store_->read()), store_error);
  EXPECT_EQ(write(orders_.next(1)), std::nullopt);
}

}  // namespace
}  // namespace skanu
