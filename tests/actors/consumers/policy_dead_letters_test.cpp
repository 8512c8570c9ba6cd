// Policies set events aside as dead letters; operators replay or discard the letters.
#include "tests/actors/consumers/policy_fixture.hpp"

namespace skanu {
namespace {

/// A log of a single event, damaged while `*damaged` is true.
event_log_actor::behavior_type damaged_log(event_log_actor::pointer, const bool* damaged) {
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            event_batch batch{{}, 2, false, 1};
            if (query.from == 1) batch.events.push_back({1, *damaged ? "" : event_for(7)});
            return batch;
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
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
  ASSERT_EQ(dead_letters().size(), 2U);
  for (const auto& row : dead_letters())
    EXPECT_EQ(nlohmann::json::parse(row.value).at("attempts"), 1) << "it blocks what is behind it";
}

// A policy cannot tell a damaged event's type: skipping the event could lose an effect in silence.
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

// Operators.

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
  happen({event_for(2)});  // a command under way: errands wait
  for (std::size_t i = 0; i < dead_letter_box::most_errands; ++i)
    ASSERT_TRUE(order({"stamp-follows-payment", 1, 1}).waiting()) << i;
  EXPECT_EQ(order({"stamp-follows-payment", 1, 1}).word(), "overloaded");
}

// An unreadable event names no entity; the next program may read the event, for an entity with
// other letters.
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

TEST_F(policy_test, any_number_of_letters_leaves_every_entity_parked_after_a_restart) {
  const std::string name(consumers::stamp_follows_payment.name);
  std::vector<dead_letter> letters;
  for (log_offset offset = 1; offset <= 100'001; ++offset)
    letters.push_back({name, "payment", offset, 7, offset == 1 ? 1 : 0, {}, {}, {}});
  letters.push_back({name, "payment", 100'002, 8, 1, {}, {}, {}});
  store_letters(letters);
  dead_letter_box box(env(service::stamp), service::stamp, {});
  box.recover(*data.read(), name);
  EXPECT_TRUE(box.parks(7));
  EXPECT_TRUE(box.parks(8));
  EXPECT_FALSE(box.parks(9));
}

}  // namespace
}  // namespace skanu
