// Policies: batches, durable positions, repeats.
#include "persistence/directory/directory_identity.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/log/log_position.hpp"
#include "tests/actors/consumers/policy_fixture.hpp"
#include "tests/support/log_capture.hpp"

namespace skanu {
namespace {

/// A log with some failed reads, empty afterwards.
event_log_actor::behavior_type failing_log(event_log_actor::pointer, int* pulls, int* failures) {
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            ++*pulls;
            if (--*failures >= 0) return caf::make_error(caf::sec::runtime_error);
            return event_batch{{}, query.from, false};
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
}

TEST_F(policy_test, sends_one_command_for_each_event_in_their_order) {
  happen({event_for(3), event_for(1), event_for(2)});
  start_policy();
  EXPECT_EQ(targets(), (std::vector<entity_id>{3, 1, 2}));
  EXPECT_FALSE(commands[0].how.operation) << "its effects have natural keys";
}

TEST_F(policy_test, stores_its_position_when_every_effect_is_durable_and_not_before) {
  happen({event_for(1), event_for(2)});
  start_policy();
  answer(1);
  settle();
  EXPECT_EQ(position(), 0);
  answer(0);
  EXPECT_EQ(position(), 0) << "the disk has not turned";
  settle();
  EXPECT_EQ(position(), 2);
}

TEST_F(policy_test, passes_over_what_does_not_concern_it) {
  happen({event_for(1, "Unwanted"), event_for(0), event_for(2, "Unwanted")});
  start_policy();
  settle();
  EXPECT_TRUE(commands.empty());
  EXPECT_EQ(position(), 3);
}

TEST_F(policy_test, works_through_a_long_log_in_batches) {
  std::vector<std::string> many;
  for (entity_id id = 1; id <= 10; ++id) many.push_back(event_for(id));
  happen(many);
  start_policy(batches_of(4));
  EXPECT_EQ(commands.size(), 4U) << "commands under way are bounded";
  for (std::size_t done = 0; done < 10; ++done) {
    ASSERT_GT(commands.size(), done);
    answer(done);
    settle();
    settle_messages();
  }
  EXPECT_EQ(position(), 10);
  EXPECT_EQ(commands.size(), 10U);
}

TEST_F(policy_test, a_hint_while_it_is_busy_is_not_lost) {
  happen({event_for(1)});
  start_policy();
  happen({event_for(2)});
  EXPECT_EQ(commands.size(), 1U);
  answer(0);
  settle();
  settle_messages();
  EXPECT_EQ(targets(), (std::vector<entity_id>{1, 2}));
}

// A stamp node with an empty directory in place of a lost directory counts the payments again, and
// loses the entries made by hand: operators must learn of the loss.
TEST_F(policy_test, a_new_directory_beside_older_events_is_said_once) {
  const auto event_at = [](const std::string& time) {
    return R"({"eventType":"Wanted","timestamp":")" + time + R"(","target":7})";
  };
  const auto made_at = [&](const std::string& time) {
    write_rows(data, service::stamp, {{row_space::meta, std::string(directory_made_key), time}});
  };
  append_events(data, service::payment, {event_at("2026-11-22T10:00:00.000Z")});
  log_capture said;
  made_at("2026-11-22T09:00:00.000Z");
  start_policy();
  kill_policy();
  EXPECT_EQ(said.lines_with("event=directory_is_new"), 0) << said.text();
  made_at("2026-11-22T10:00:00.000Z");
  start_policy();
  kill_policy();
  EXPECT_EQ(said.lines_with("event=directory_is_new"), 0) << "no older than the directory";
  made_at("2026-11-22T11:00:00.000Z");
  start_policy();
  EXPECT_EQ(said.lines_with("warning event=directory_is_new service=stamp"), 1) << said.text();
  answer(0);
  settle();
  kill_policy();
  append_events(data, service::payment, {event_at("2026-11-22T10:30:00.000Z")});
  start_policy();
  EXPECT_EQ(said.lines_with("event=directory_is_new"), 1) << said.text();
}

TEST_F(policy_test, goes_on_behind_its_position_after_a_crash) {
  happen({event_for(1), event_for(2)});
  start_policy();
  answer(0);
  answer(1);
  settle();
  kill_policy();
  happen({event_for(3)});
  start_policy();
  EXPECT_EQ(targets(), std::vector<entity_id>{3});
}

TEST_F(policy_test, repeats_what_a_crash_left_between_effect_and_position) {
  happen({event_for(1), event_for(2)});
  start_policy();
  answer(0);
  answer(1);
  kill_policy();
  disk.lose_everything();
  start_policy();
  EXPECT_EQ(targets(), (std::vector<entity_id>{1, 2}))
      << "their natural keys make a repeat harmless";
}

TEST_F(policy_test, waits_for_ever_for_what_is_merely_absent) {
  for (const auto code : {errc::store_full, errc::store_failed, errc::overloaded,
                          errc::conflicting_commit, errc::shutting_down, errc::outcome_unknown}) {
    SCOPED_TRACE(name_of(code));
    happen({event_for(7)});
    start_policy();
    for (std::size_t tries = 0; tries < 200; ++tries) {
      ASSERT_GT(commands.size(), tries);
      fail(tries, code);
      const auto before = virtual_now();
      while (commands.size() == tries + 1 && virtual_now() - before < seconds(20))
        advance(milliseconds(5), false);
      EXPECT_LE(virtual_now() - before, milliseconds(5'010)) << "the wait is capped";
      EXPECT_TRUE(tries < 10 || virtual_now() - before >= milliseconds(2'500)) << "and long";
    }
    answer(200);
    settle();
    EXPECT_EQ(position(), data.read()->log_end(service::payment));
    EXPECT_TRUE(dead_letters().empty());
    kill_policy();
  }
}

TEST_F(policy_test, ends_where_its_position_cannot_be_stored_so_that_it_begins_anew) {
  happen({event_for(1)});
  start_policy();
  data.inject({.name = "full", .code = errc::store_full});
  answer(0);
  caf::scoped_actor self{system};
  self->monitor(running);
  settle();
  bool gone = false;
  self->receive([&](const caf::down_msg&) { gone = true; }, caf::after(seconds(0)) >> [] {});
  EXPECT_TRUE(gone);
  commands.clear();
  start_policy();
  EXPECT_EQ(targets(), std::vector<entity_id>{1});
}

TEST_F(policy_test, asks_a_log_that_does_not_answer_again_and_again) {
  int pulls = 0;
  const auto silent = keep(system.spawn(silent_log, &pulls));
  consumer_limits limits;
  limits.pull_timeout = milliseconds(1'000);
  start<policy>(env(service::stamp), definition(), silent, faults, limits);
  advance(milliseconds(900));
  EXPECT_EQ(pulls, 1);
  advance(minutes(5));
  EXPECT_GE(pulls, 40);
  EXPECT_LE(pulls, 200) << "at a capped rate";
}

// A hint during a backoff replaces the backoff's pull: otherwise each hint adds a further pull.
TEST_F(policy_test, a_hint_ends_a_backoff_and_adds_no_pull_to_it) {
  int pulls = 0, failures = 8;
  const auto failing = keep(system.spawn(failing_log, &pulls, &failures));
  running = start<policy>(env(service::stamp), definition(), failing, faults, consumer_limits{});
  while (failures > 0) advance(milliseconds(5));
  pulls = 0;
  caf::anon_send(running, hint_atom::value, service::payment);
  advance(milliseconds(50));
  EXPECT_EQ(pulls, 1);
  advance(minutes(1));
  EXPECT_EQ(pulls, 1);
}

TEST_F(policy_test, a_log_that_cannot_be_read_for_a_while_is_read_later) {
  happen({event_for(1)});
  // The policy's own recovery is the first read.
  running = start<policy>(env(service::stamp), definition(), log, faults, consumer_limits{});
  run();
  data.inject({.name = "unreadable", .at = fault_point::read, .times = 3});
  advance(milliseconds(10));
  EXPECT_TRUE(commands.empty());
  advance(seconds(3), false);
  EXPECT_EQ(targets(), std::vector<entity_id>{1});
}

TEST_F(policy_test, says_so_where_its_log_lacks_what_it_has_read) {
  happen({event_for(1), event_for(2)});
  write_rows(data, service::stamp, {{row_space::meta, position_key("stamp-follows-payment"), "5"}});
  log_capture said;
  start_policy();
  EXPECT_EQ(said.lines_with("event=log_forked consumer=stamp-follows-payment log=payment known=5 "
                            "common=2 end=2 lost=3 "),
            1)
      << said.text();
}

TEST_F(policy_test, passes_the_trace_of_an_event_on_and_logs_the_step) {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto traced = [&](entity_id target) {
    return R"({"eventType":"Wanted","traceparent":"00-)" + id + R"(-00f067aa0ba902b7-01")" +
           R"(,"target":)" + std::to_string(target) + "}";
  };
  const std::string step = "event=step consumer=stamp-follows-payment offset=1 eventType=Wanted";
  happen({traced(1)});
  log_capture said;
  start_policy(attempts_of(1));
  ASSERT_TRUE(commands.at(0).how.trace);
  EXPECT_EQ(commands[0].how.trace->trace_id(), id);
  fail(0, errc::not_allowed);
  settle();
  EXPECT_EQ(said.lines_with(step), 0) << said.text();
  order({"stamp-follows-payment", 1, 1});
  ASSERT_TRUE(commands.at(1).how.trace);
  EXPECT_EQ(commands[1].how.trace->trace_id(), id);
  answer(1);
  settle();
  EXPECT_EQ(said.lines_with(step, "trace=" + id), 1) << said.text();
  happen({traced(2)});
  answer(2);
  settle();
  EXPECT_EQ(said.lines_with("event=step", "offset=2", "trace=" + id), 1) << said.text();
}

// A program without timelines stored the position.
TEST_F(policy_test, the_timeline_of_its_log_is_stored_with_its_first_move) {
  write_rows(data, service::payment, {begin_timeline(*data.read(), service::payment)});
  append_events(data, service::payment, {event_for(0)});
  write_rows(data, service::stamp, {{row_space::meta, position_key("stamp-follows-payment"), "1"}});
  start_policy();
  happen({event_for(0)});
  settle();
  const auto at = stored_position(*data.read(), service::stamp, "stamp-follows-payment");
  EXPECT_EQ(at.next, 3);
  EXPECT_EQ(at.seen, stored_lineage(*data.read(), service::payment));
}

}  // namespace
}  // namespace skanu
