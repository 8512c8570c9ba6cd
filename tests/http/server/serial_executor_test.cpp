#include "http/server/serial_executor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace skanu {
namespace {

using namespace std::chrono_literals;

const auto in_time = [] { return serial_executor::clock::now() + 10s; };

/// A task that runs until the test ends the task.
struct long_work {
  std::promise<void> begun, end;

  auto operator()() {
    return [this] {
      begun.set_value();
      end.get_future().wait();
      return 0;
    };
  }
};

TEST(serial_executor, gives_what_the_work_returns) {
  serial_executor one{8};
  EXPECT_EQ(one.run([] { return std::string("done"); }, in_time()), "done");
}

TEST(serial_executor, throws_what_the_work_throws_and_goes_on) {
  serial_executor one{8};
  EXPECT_THROW(one.run([]() -> int { throw std::runtime_error("no"); }, in_time()),
               std::runtime_error);
  EXPECT_EQ(one.run([] { return 1; }, in_time()), 1);
}

TEST(serial_executor, does_one_piece_of_work_at_a_time) {
  serial_executor one{64};
  std::atomic<int> under_way{0}, most{0}, done{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < 32; ++i) {
    askers.emplace_back([&] {
      one.run(
          [&] {
            most = std::max(most.load(), ++under_way);
            std::this_thread::yield();
            --under_way;
            return ++done;
          },
          in_time());
    });
  }
  for (auto& each : askers) each.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(done, 32);
}

TEST(serial_executor, turns_away_at_once_who_finds_too_many_waiting) {
  serial_executor one{1};
  long_work first;
  std::thread asker{[&] { one.run(first(), in_time()); }};
  first.begun.get_future().wait();
  // The caller gives up, but its task keeps the place in the queue until its turn.
  EXPECT_EQ(one.run([] { return 2; }, serial_executor::clock::now() + 1ms), std::nullopt);
  const auto until = in_time();
  EXPECT_EQ(one.run([] { return 3; }, until), std::nullopt);
  EXPECT_LT(serial_executor::clock::now(), until);
  first.end.set_value();
  asker.join();
}

TEST(serial_executor, nobody_waits_longer_than_he_has_time) {
  serial_executor one{8};
  long_work first;
  std::thread asker{[&] { one.run(first(), in_time()); }};
  first.begun.get_future().wait();
  std::atomic<bool> ran{false};
  const auto late = [&ran] { return ran = true; };
  EXPECT_EQ(one.run(late, serial_executor::clock::now() + 1ms), std::nullopt);
  first.end.set_value();
  asker.join();
  EXPECT_EQ(one.run([] { return 1; }, in_time()), 1);  // queued behind the late task
  EXPECT_FALSE(ran) << "work that nobody waits for was done";
}

}  // namespace
}  // namespace skanu
