// Policies: batches, durable positions, repeats, dead letters.
#include "actors/consumers/policy.hpp"

#include <gtest/gtest.h>

#include "actors/consumers/event_log.hpp"
#include "persistence/directory/directory_identity.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/log/log_position.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

/// A command that the policy sent, for the test to answer.
struct sent {
  entity_id target = 0;
  command_context how;
};

std::string event_for(entity_id target, const std::string& type = "Wanted") {
  return R"({"eventType":")" + type + R"(","target":)" + std::to_string(target) + "}";
}

/// A log that cannot be read so many times, and is empty afterwards.
event_log_actor::behavior_type failing_log(event_log_actor::pointer, int* pulls, int* failures) {
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            ++*pulls;
            if (--*failures >= 0) return caf::make_error(caf::sec::runtime_error);
            return event_batch{{}, query.from, false};
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
}

/// A log of one event, which is damaged as long as it is said to be.
event_log_actor::behavior_type damaged_log(event_log_actor::pointer, const bool* damaged) {
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            event_batch batch{{}, 2, false, 1};
            if (query.from == 1) batch.events.push_back({1, *damaged ? "" : event_for(7)});
            return batch;
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
}

class policy_test : public actor_fixture {
 protected:
  policy_test() {
    log = keep(system.spawn(event_log, &env(service::payment), service::payment));
    hint_to(service::payment, log);
  }

  policy_definition definition() {
    return {.who = consumers::stamp_follows_payment,
            .types = {"Wanted"},
            .react = [](const nlohmann::json& event) -> std::optional<addressed_command> {
              if (!event.contains("target")) throw decode_error("no target");
              const auto target = event.at("target").get<entity_id>();
              if (target == 0) return std::nullopt;
              return addressed_command{target, stamp_command(add_stamps{1})};
            },
            .send =
                [this](const addressed_command& c, command_context r) {
                  commands.push_back({c.id, std::move(r)});
                }};
  }

  /// Settings that differ from the usual ones in one.
  static consumer_limits batches_of(std::size_t n) {
    consumer_limits limits;
    limits.batch = n;
    return limits;
  }
  static consumer_limits attempts_of(int n) {
    consumer_limits limits;
    limits.attempts = n;
    return limits;
  }

  void start_policy(consumer_limits limits = {}) {
    running = start<policy>(env(service::stamp), definition(), log, faults, limits);
    settle_messages();
  }

  void kill_policy() {
    caf::anon_send_exit(running, caf::exit_reason::kill);
    run();
    commands.clear();
  }

  /// Lets a little time pass, for delayed messages; the disk stands still.
  void settle_messages() { advance(milliseconds(20), false); }

  void happen(std::vector<std::string> bodies) {
    append_events(data, service::payment, std::move(bodies));
    caf::anon_send(log, hint_atom::value);
    settle_messages();
  }

  void answer(std::size_t i, outcome result = accepted{}) {
    commands.at(i).how.answer(std::move(result));
    run();
  }
  void fail(std::size_t i, errc code) { answer(i, error{code, "a test's failure"}); }

  /// The position that is stored; 0 where none is.
  log_offset position() {
    const auto row =
        data.read()->row(service::stamp, row_space::meta, position_key("stamp-follows-payment"));
    return row ? std::stoll(*row) : 0;
  }

  std::vector<stored_row> dead_letters() {
    return data.read()->rows(service::stamp, row_space::dead_letters,
                             dead_letter_prefix("stamp-follows-payment"), {}, 100);
  }

  /// Sets aside the first of these events, and so what comes behind it for the same entity.
  void set_aside_first_of(std::vector<std::string> bodies) {
    happen({bodies.front()});
    start_policy(attempts_of(1));
    fail(0, errc::not_allowed);
    settle();
    bodies.erase(bodies.begin());
    if (!bodies.empty()) happen(std::move(bodies));
    settle();
  }

  /// Stores letters as if they had been set aside before the start.
  void store_letters(const std::vector<dead_letter>& letters) {
    commit c{.of = service::stamp};
    for (const auto& l : letters)
      c.rows.push_back(
          {row_space::dead_letters,
           dead_letter_prefix(l.consumer) + ordered_key(l.entity) + ordered_key(l.offset),
           to_json(l)});
    const auto* one = &c;
    ASSERT_EQ(data.write({&one, 1}).front(), std::nullopt);
  }

  asked order(letter_name letter, bool discard = false) {
    asked a;
    caf::anon_send(running, dead_letter_command{std::move(letter), discard}, request_of(a));
    run();
    return a;
  }

  std::vector<entity_id> targets() {
    std::vector<entity_id> all;
    for (const auto& c : commands) all.push_back(c.target);
    return all;
  }

  event_log_actor log;
  consumer_actor running;
  std::vector<sent> commands;
};

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

// A stamp node with an empty directory in place of a lost one counted the payments again, and lost
// the entries made by hand without a word.
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

TEST_F(policy_test, sets_aside_what_cannot_be_decided_after_a_few_tries) {
  for (const auto code :
       {errc::entity_failed, errc::not_allowed, errc::not_found, errc::undecodable}) {
    SCOPED_TRACE(name_of(code));
    const auto before = dead_letters().size();
    const entity_id target = 10 + static_cast<entity_id>(code);
    happen({event_for(target)});
    start_policy(attempts_of(5));
    for (std::size_t tries = 0; tries < 5; ++tries) {
      ASSERT_EQ(commands.size(), tries + 1);
      fail(tries, code);
      advance(seconds(2), false);
    }
    EXPECT_EQ(commands.size(), 5U);
    settle();
    EXPECT_EQ(position(), data.read()->log_end(service::payment));
    ASSERT_EQ(dead_letters().size(), before + 1);
    kill_policy();
  }
  const auto letter = nlohmann::json::parse(dead_letters().front().value);
  EXPECT_EQ(letter.at("consumer"), "stamp-follows-payment");
  EXPECT_EQ(letter.at("service"), "payment");
  EXPECT_EQ(letter.at("attempts"), 5);
  EXPECT_FALSE(letter.at("reason").get<std::string>().empty());
  EXPECT_TRUE(nlohmann::json::parse(letter.at("event").get<std::string>()).contains("target"));
  EXPECT_EQ(metrics.of(service::stamp).dead_letters, 4);
}

TEST_F(policy_test, a_dead_letter_parks_its_entity_and_stops_nobody_else) {
  happen({event_for(1), event_for(2)});
  start_policy(attempts_of(1));
  fail(0, errc::not_allowed);
  answer(1);
  settle();
  happen({event_for(1), event_for(2), event_for(3)});
  EXPECT_EQ(targets(), (std::vector<entity_id>{1, 2, 2, 3}));
  answer(2);
  answer(3);
  settle();
  EXPECT_EQ(position(), 5);
  EXPECT_EQ(dead_letters().size(), 2U);
  kill_policy();
  happen({event_for(1), event_for(4)});
  start_policy();
  EXPECT_EQ(targets(), std::vector<entity_id>{4}) << "the parked are known after a restart";
}

TEST_F(policy_test, an_event_that_cannot_be_read_is_set_aside_at_once) {
  happen({R"({"eventType":"Wanted")", R"({"eventType":"Wanted"})", event_for(5)});
  start_policy();
  EXPECT_EQ(targets(), std::vector<entity_id>{5});
  answer(0);
  settle();
  EXPECT_EQ(position(), 3);
  EXPECT_EQ(dead_letters().size(), 2U);
}

// Its type cannot be told, so it cannot be passed over; skipped, its effect would be lost in
// silence.
TEST_F(policy_test, an_event_that_is_damaged_in_its_log_is_set_aside_and_replayed_once_it_is_not) {
  bool damaged = true;
  log = keep(system.spawn(damaged_log, &damaged));
  start_policy();
  settle();
  EXPECT_EQ(position(), 1);
  ASSERT_EQ(dead_letters().size(), 1U);
  const auto letter = nlohmann::json::parse(dead_letters().front().value);
  EXPECT_EQ(letter.at("reason"), damaged_event);
  EXPECT_EQ(letter.at("event"), "");
  const letter_name name{"stamp-follows-payment", 0, 1};
  const auto too_early = order(name);
  settle();
  EXPECT_EQ(too_early.word(), "not-allowed");
  EXPECT_TRUE(commands.empty());
  damaged = false;
  order(name);
  settle();
  ASSERT_EQ(targets(), std::vector<entity_id>{7});
  answer(0);
  settle();
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(policy_test, a_dead_letter_and_the_position_behind_it_are_one_commit) {
  happen({event_for(1)});
  start_policy(attempts_of(1));
  fail(0, errc::not_allowed);
  EXPECT_EQ(disk.waiting().size(), 1U);
  kill_policy();
  disk.lose_everything();
  EXPECT_TRUE(dead_letters().empty());
  start_policy(attempts_of(1));
  EXPECT_EQ(targets(), std::vector<entity_id>{1});
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

// The backoff's own pull came beside the hint's, one more for each hint.
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

// Operators and dead letters.

TEST_F(policy_test, a_replayed_letter_is_carried_out_and_what_waited_behind_it_follows_in_order) {
  set_aside_first_of({event_for(1), event_for(1), event_for(2), event_for(1)});
  answer(1);  // of entity 2
  settle();
  ASSERT_EQ(dead_letters().size(), 3U);
  const auto operators = order({"stamp-follows-payment", 1, 1});
  EXPECT_EQ(targets(), (std::vector<entity_id>{1, 2, 1})) << "one at a time";
  answer(2);
  EXPECT_TRUE(operators.waiting()) << "the disk has not turned";
  settle();
  EXPECT_EQ(operators.word(), "unchanged v0");
  settle_messages();
  ASSERT_EQ(commands.size(), 4U);
  happen({event_for(1), event_for(3)});
  EXPECT_EQ(commands.size(), 4U) << "what is new waits its turn";
  answer(3);
  settle();
  settle_messages();
  for (std::size_t i = 4; i < commands.size(); ++i) {
    answer(i);
    settle();
    settle_messages();
  }
  EXPECT_EQ(targets(), (std::vector<entity_id>{1, 2, 1, 1, 1, 3, 1}));
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(position(), 6);
  happen({event_for(1)});
  EXPECT_EQ(commands.size(), 8U) << "its entity is free again";
}

TEST_F(policy_test, a_letter_that_fails_again_stays_and_says_why) {
  set_aside_first_of({event_for(1), event_for(1)});
  const auto operators = order({"stamp-follows-payment", 1, 1});
  fail(1, errc::not_found);
  settle();
  settle_messages();
  EXPECT_EQ(operators.word(), "not-allowed");
  ASSERT_EQ(dead_letters().size(), 2U);
  const auto letter = nlohmann::json::parse(dead_letters().front().value);
  EXPECT_EQ(letter.at("attempts"), 2);
  EXPECT_EQ(letter.at("reason"), "not-found: a test's failure");
  EXPECT_EQ(commands.size(), 2U) << "what waits behind it goes on waiting";
}

TEST_F(policy_test, a_replay_that_is_refused_for_a_reason_that_passes_changes_nothing) {
  set_aside_first_of({event_for(1)});
  const auto before = dead_letters().front().value;
  const auto operators = order({"stamp-follows-payment", 1, 1});
  fail(1, errc::store_full);
  settle();
  EXPECT_EQ(operators.word(), "store-full");
  EXPECT_EQ(dead_letters().front().value, before);
}

TEST_F(policy_test, a_discarded_letter_is_never_carried_out_and_lets_the_later_ones_go_on) {
  set_aside_first_of({event_for(1), event_for(1)});
  const auto operators = order({"stamp-follows-payment", 1, 1}, true);
  EXPECT_EQ(commands.size(), 1U);
  settle();
  EXPECT_EQ(operators.word(), "unchanged v0");
  settle_messages();
  ASSERT_EQ(targets(), (std::vector<entity_id>{1, 1}));
  answer(1);
  settle();
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(data.read()
                ->rows(service::stamp, row_space::dead_letters,
                       discarded_prefix("stamp-follows-payment"), {}, 10)
                .size(),
            1U)
      << "the audit has to know";
}

TEST_F(policy_test, what_waits_behind_a_letter_cannot_be_replayed_before_it) {
  set_aside_first_of({event_for(1), event_for(1)});
  EXPECT_EQ(order({"stamp-follows-payment", 1, 2}).word(), "not-allowed");
  EXPECT_EQ(order({"stamp-follows-payment", 1, 7}).word(), "not-found");
  EXPECT_EQ(commands.size(), 1U);
}

TEST_F(policy_test, more_operators_than_can_wait_are_told_so) {
  set_aside_first_of({event_for(1)});
  happen({event_for(2)});  // is under way: errands wait
  for (std::size_t i = 0; i < dead_letter_box::most_errands; ++i)
    ASSERT_TRUE(order({"stamp-follows-payment", 1, 1}).waiting()) << i;
  EXPECT_EQ(order({"stamp-follows-payment", 1, 1}).word(), "overloaded");
}

// An unreadable event names no entity; the next program may find an entity with letters of its
// own.
TEST_F(policy_test, a_letter_without_an_entity_is_not_replayed_beside_those_of_its_entity) {
  store_letters({{"stamp-follows-payment", "payment", 1, 0, 1, "a test's", "", event_for(7)},
                 {"stamp-follows-payment", "payment", 2, 7, 1, "a test's", "", event_for(7)}});
  start_policy();
  EXPECT_EQ(order({"stamp-follows-payment", 0, 1}).word(), "not-allowed");
  EXPECT_TRUE(commands.empty());
  EXPECT_EQ(dead_letters().size(), 2U);
}

TEST_F(policy_test,
       every_entity_with_a_letter_stays_parked_after_a_restart_however_many_there_are) {
  std::vector<dead_letter> many;
  for (entity_id id = 1; id <= 1'001; ++id)
    many.push_back({"stamp-follows-payment", "payment", id, id, 1, "a test's", "", event_for(id)});
  store_letters(many);
  happen({event_for(1), event_for(1'001), event_for(1'002)});
  start_policy();
  EXPECT_EQ(targets(), std::vector<entity_id>{1'002});
}

TEST_F(policy_test, a_crash_between_two_letters_is_gone_on_with_after_it) {
  set_aside_first_of({event_for(1), event_for(1)});
  order({"stamp-follows-payment", 1, 1});
  answer(1);
  disk.turn();
  kill_policy();
  ASSERT_EQ(dead_letters().size(), 1U);
  start_policy();
  EXPECT_EQ(targets(), std::vector<entity_id>{1});
  answer(0);
  settle();
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(policy_test, letters_of_one_entity_hold_up_nobody_else) {
  std::vector<std::string> many(40, event_for(1));
  set_aside_first_of(many);
  order({"stamp-follows-payment", 1, 1});
  happen({event_for(2)});
  for (std::size_t i = 1; i < 8; ++i) {
    answer(i);
    settle();
    advance(milliseconds(15), false);
    if (commands.back().target == 2) return;
  }
  ADD_FAILURE() << "entity 2 still waits after seven letters of another";
}

// A position of a program that knew no timelines.
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
