// A service's log for its followers: pulls and hints.
#include "actors/consumers/event_log.hpp"

#include <gtest/gtest.h>

#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

follower_actor::behavior_type pulling_follower(follower_actor::pointer self, event_log_actor log,
                                               int* hints) {
  return {[=](hint_atom, service) {
    ++*hints;
    self->request(log, caf::infinite, pull_atom::value, log_query{1, 1, {}})
        .then([](const event_batch&) {});
  }};
}

std::string event_of_type(const std::string& type) { return R"({"eventType":")" + type + R"("})"; }

class event_log_test : public actor_fixture {
 protected:
  event_log_test() { log = keep(system.spawn(event_log, &env(service::order), service::order)); }

  /// The answer to a pull; nullopt after an error.
  std::optional<event_batch> pull(log_query query) {
    caf::scoped_actor self{system};
    auto pulled = self->request(log, caf::infinite, pull_atom::value, std::move(query));
    run();
    std::optional<event_batch> batch;
    pulled.receive([&](const event_batch& b) { batch = b; }, [](caf::error&) {});
    return batch;
  }

  void hint() {
    caf::anon_send(log, hint_atom::value);
    run();
  }

  event_log_actor log;
};

TEST_F(event_log_test, gives_events_from_an_offset_on_and_says_where_to_go_on) {
  append_events(data, service::order,
                {event_of_type("A"), event_of_type("B"), event_of_type("A"), event_of_type("C")});
  const auto all = pull({1, 10, {}});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->events.size(), 4U);
  EXPECT_EQ(all->next, 5);
  EXPECT_FALSE(all->more);
  const auto some = pull({2, 2, {}});
  EXPECT_EQ(some->events.front().offset, 2);
  EXPECT_EQ(some->events.size(), 2U);
  EXPECT_EQ(some->next, 4);
  EXPECT_TRUE(some->more);
  const auto end = pull({5, 10, {}});
  EXPECT_TRUE(end->events.empty());
  EXPECT_EQ(end->next, 5);
  EXPECT_FALSE(end->more);
}

TEST_F(event_log_test, passes_over_the_types_that_are_not_wanted) {
  append_events(data, service::order,
                {event_of_type("A"), event_of_type("B"), event_of_type("A"), "damaged"});
  const auto batch = pull({1, 10, {"B", "C"}});
  ASSERT_EQ(batch->events.size(), 1U);
  EXPECT_EQ(batch->events.front().offset, 2);
  EXPECT_EQ(batch->next, 5);
}

// A batch cut short by the byte limit must not look like the log's end, or followers stop reading.
TEST_F(event_log_test, a_batch_that_is_cut_short_by_its_bytes_is_not_the_end) {
  const auto large = R"({"eventType":"A","text":")" + std::string(400'000, 'x') + R"("})";
  append_events(data, service::order, {large, large, large, large, large});
  const auto batch = pull({1, 1'000, {}});
  EXPECT_LT(batch->events.size(), 5U);
  EXPECT_TRUE(batch->more);
}

TEST_F(event_log_test, hints_once_until_the_follower_pulls) {
  int idle_hints = 0, busy_hints = 0;
  const auto idle = keep(system.spawn(counting_follower, &idle_hints));
  const auto busy = keep(system.spawn(pulling_follower, log, &busy_hints));
  caf::anon_send(log, follow_atom::value, idle);
  caf::anon_send(log, follow_atom::value, busy);
  for (int i = 0; i < 10; ++i) hint();
  EXPECT_EQ(idle_hints, 1) << "another's pull is not its own";
  EXPECT_EQ(busy_hints, 10);
}

TEST_F(event_log_test, forgets_followers_that_are_gone) {
  int hints = 0;
  auto follower = system.spawn(counting_follower, &hints);
  caf::anon_send(log, follow_atom::value, follower);
  run();
  caf::anon_send_exit(follower, caf::exit_reason::kill);
  run();
  hint();
  EXPECT_EQ(hints, 0);
  const auto watched = caf::actor_cast<caf::weak_actor_ptr>(std::exchange(follower, nullptr));
  EXPECT_FALSE(watched.lock()) << "it is held for ever";
}

// A failed read must not end the log's actor, or the followers wait forever.
TEST_F(event_log_test, outlives_a_store_that_cannot_be_read) {
  append_events(data, service::order, {event_of_type("A")});
  data.inject({.name = "unreadable", .at = fault_point::read});
  EXPECT_FALSE(pull({1, 10, {}}));
  EXPECT_TRUE(pull({1, 10, {}}));
}

}  // namespace
}  // namespace skanu
