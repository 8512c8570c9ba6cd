// A consumer's reader chooses the logs and the times of turns, in virtual time.
#include "actors/consumers/log_reader.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;

const log_reader_limits limits{
    .batch = 4, .window = milliseconds(10), .retry = {milliseconds(100), milliseconds(100)}};

/// A batch of the events up to `end`, with or without more events behind.
event_batch up_to(log_offset end, bool more = false) {
  return {.events = {}, .next = end + 1, .more = more, .end = end};
}

class log_reader_test : public testing::Test {
 protected:
  log_reader_test()
      : reader({{consumers::trace_follows_order}, {consumers::trace_follows_payment}}, limits) {}

  /// The wait until the next turn in milliseconds; -1 without a new plan.
  std::int64_t plan() {
    const auto at = reader.plan(now);
    return at ? std::chrono::duration_cast<milliseconds>(*at - now).count() : -1;
  }

  /// The numbers of the logs asked in a turn.
  std::vector<std::size_t> begin() {
    std::vector<std::size_t> asked;
    for (const auto& p : reader.begin_turn(now)) asked.push_back(p.log);
    return asked;
  }

  /// A first turn without events.
  void begin_quietly() {
    plan();
    begin();
    for (const std::size_t log : {0, 1}) reader.take(log, up_to(0), noon);
    reader.rest();
  }

  void fail(std::size_t log) { reader.fail(log, now, random); }

  using numbers = std::vector<std::size_t>;
  const instant noon = *from_rfc3339("2026-11-22T12:00:00.000Z");
  log_reader::time_point now{std::chrono::hours(1)};
  std::mt19937_64 random{1};
  log_reader reader;
};

TEST_F(log_reader_test, reads_every_log_at_once_at_first) {
  EXPECT_EQ(plan(), 0);
  EXPECT_EQ(plan(), -1) << "it is planned already";
  EXPECT_TRUE(reader.is_due(now));
  EXPECT_EQ(begin(), (numbers{0, 1}));
  EXPECT_FALSE(reader.is_due(now));
}

TEST_F(log_reader_test, rests_where_the_logs_have_nothing_new) {
  begin_quietly();
  EXPECT_FALSE(reader.moved());
  EXPECT_EQ(plan(), -1);
  EXPECT_EQ(begin(), numbers{});
  EXPECT_TRUE(reader.resting()) << "a turn without questions is over";
}

TEST_F(log_reader_test, reads_a_log_that_hinted_after_a_window) {
  begin_quietly();
  reader.hint(service::payment);
  EXPECT_EQ(plan(), 10);
  now += milliseconds(5);
  reader.hint(service::payment);
  EXPECT_EQ(plan(), -1) << "a second hint delays nothing";
  EXPECT_FALSE(reader.is_due(now));
  now += milliseconds(5);
  EXPECT_TRUE(reader.is_due(now));
  EXPECT_EQ(begin(), numbers{1});
}

TEST_F(log_reader_test, hears_no_hint_of_a_log_that_it_does_not_follow) {
  begin_quietly();
  reader.hint(service::stamp);
  EXPECT_EQ(plan(), -1);
}

TEST_F(log_reader_test, remembers_a_hint_that_comes_while_it_works) {
  plan();
  begin();
  reader.hint(service::order);
  EXPECT_EQ(plan(), -1) << "not while it works";
  reader.take(0, up_to(3), noon);
  EXPECT_TRUE(reader.pulling());
  reader.take(1, up_to(0), noon);
  EXPECT_FALSE(reader.pulling());
  now += milliseconds(50);
  reader.stored();
  reader.rest();
  EXPECT_EQ(plan(), 10) << "a window behind the turn";
}

TEST_F(log_reader_test, goes_on_at_once_behind_a_full_batch) {
  plan();
  begin();
  reader.take(0, up_to(4, true), noon);
  reader.take(1, up_to(0), noon);
  reader.stored();
  reader.rest();
  EXPECT_EQ(plan(), 0);
  const auto pulls = reader.begin_turn(now);
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].log, 0U);
  EXPECT_EQ(pulls[0].query.from, 5);
  EXPECT_EQ(pulls[0].query.limit, 4U);
}

TEST_F(log_reader_test, waits_for_a_log_that_failed_and_holds_up_no_other) {
  plan();
  begin();
  fail(0);
  reader.take(1, up_to(0), noon);
  reader.rest();
  const auto wait = plan();
  EXPECT_GE(wait, 50);
  EXPECT_LE(wait, 100);
  reader.hint(service::payment);
  EXPECT_EQ(plan(), 10) << "an earlier turn takes the later one's place";
  now += milliseconds(10);
  EXPECT_EQ(begin(), numbers{1});
  reader.take(1, up_to(1), noon);
  reader.stored();
  reader.rest();
  EXPECT_EQ(plan(), wait - 10);
  now += milliseconds(wait - 10);
  EXPECT_EQ(begin(), numbers{0});
}

TEST_F(log_reader_test, reads_a_log_that_speaks_again_before_its_backoff_is_over) {
  plan();
  begin();
  fail(0);
  reader.take(1, up_to(0), noon);
  reader.rest();
  plan();
  reader.hint(service::order);
  EXPECT_EQ(plan(), 10);
}

TEST_F(log_reader_test, waits_longer_after_each_failure_and_begins_anew_after_an_answer) {
  log_reader patient({{consumers::order_follows_delivery}},
                     {.retry = {milliseconds(100), milliseconds(10'000)}});
  const auto wait_after_failure = [&] {
    patient.begin_turn(now);
    patient.fail(0, now, random);
    patient.rest();
    const auto wait = *patient.plan(now) - now;
    now += wait;
    return wait;
  };
  EXPECT_LE(wait_after_failure(), milliseconds(100));
  for (int i = 0; i < 6; ++i) wait_after_failure();
  EXPECT_GE(wait_after_failure(), milliseconds(5'000));
  patient.begin_turn(now);
  patient.take(0, up_to(1, true), noon);
  patient.stored();
  patient.rest();
  EXPECT_LE(wait_after_failure(), milliseconds(100));
}

TEST_F(log_reader_test, begins_no_turn_while_the_consumer_does_something_else) {
  begin_quietly();
  reader.hint(service::order);
  plan();
  reader.hold();
  now += milliseconds(10);
  EXPECT_FALSE(reader.is_due(now));
  reader.rest();
  EXPECT_TRUE(reader.is_due(now)) << "its time came meanwhile";
}

TEST_F(log_reader_test, stores_only_places_that_moved_and_takes_them_up_again) {
  const auto data = make_table_store(make_memory_tables(), {service::ordertrace});
  plan();
  begin();
  reader.take(0, up_to(3), noon);
  EXPECT_TRUE(reader.moved());
  reader.take(1, up_to(0), noon);
  EXPECT_EQ(reader.position(0).next, 1) << "not before it is stored";
  commit c{.of = service::ordertrace, .rows = reader.rows()};
  EXPECT_EQ(c.rows.size(), 1U);
  write_commit(*data, c);
  reader.stored();
  EXPECT_EQ(reader.position(0).next, 4);
  EXPECT_FALSE(reader.moved());

  log_reader restarted({{consumers::trace_follows_order}, {consumers::trace_follows_payment}},
                       limits);
  restarted.recover(*data->read());
  EXPECT_EQ(restarted.position(0).next, 4);
  EXPECT_EQ(restarted.position(1).next, 1);
}

TEST_F(log_reader_test, goes_back_behind_what_both_logs_have) {
  plan();
  begin();
  auto first = up_to(6);
  first.timelines = {{1, "aaaaaaaaaaaaaaaa"}, {4, "bbbbbbbbbbbbbbbb"}};
  EXPECT_FALSE(reader.take(0, first, noon));
  reader.take(1, up_to(0), noon);
  reader.stored();
  reader.rest();
  reader.hint(service::order);
  reader.begin_turn(now);
  auto other = up_to(0);
  other.forked = true;
  other.end = 9;
  other.timelines = {{1, "aaaaaaaaaaaaaaaa"}, {4, "cccccccccccccccc"}};
  const auto fork = reader.take(0, other, noon);
  ASSERT_TRUE(fork);
  EXPECT_EQ(fork->consumer, "ordertrace-follows-order");
  EXPECT_EQ(fork->log, "order");
  EXPECT_EQ(fork->known, 6);
  EXPECT_EQ(fork->common, 3);
  EXPECT_EQ(fork->end, 9);
  EXPECT_EQ(fork->at, "2026-11-22T12:00:00.000Z");
  const auto rows = reader.rows();
  EXPECT_EQ(rows.size(), 3U) << "the place, its timelines and the fork";
  reader.stored();
  EXPECT_EQ(reader.position(0).next, 4);
  EXPECT_TRUE(reader.rows().empty()) << "a fork is stored once";
  reader.rest();
  EXPECT_EQ(plan(), 0) << "it reads on at once";
}

}  // namespace
}  // namespace skanu
