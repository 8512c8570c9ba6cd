// The supervisor and the housekeeper.
#include "actors/supervision/supervisor.hpp"

#include <gtest/gtest.h>

#include "actors/consumers/policy.hpp"
#include "actors/entities/housekeeper.hpp"
#include "persistence/operation_record.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

/// The starts of a child.
struct life {
  int starts = 0;
  caf::actor running;
  std::vector<std::chrono::steady_clock::time_point> started;
};

class supervisor_test : public actor_fixture {
 protected:
  ~supervisor_test() override {
    for (auto& l : lives) l->running = nullptr;
  }

  child child_named(const std::string& name) {
    auto l = std::make_shared<life>();
    lives.push_back(l);
    return {name, service::stamp, [this, l](caf::local_actor& by) {
              ++l->starts;
              l->started.push_back(virtual_now());
              l->running =
                  by.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
              return l->running;
            }};
  }

  void crash(std::size_t i) {
    caf::anon_send_exit(lives[i]->running, caf::exit_reason::kill);
    run();
  }

  std::vector<std::shared_ptr<life>> lives;
};

TEST_F(supervisor_test, restarts_the_child_that_fails_and_no_other) {
  start<supervisor>(std::vector<child>{child_named("a"), child_named("b")}, metrics, seeds.next());
  run();
  EXPECT_EQ(lives[0]->starts, 1);
  crash(0);
  EXPECT_EQ(lives[0]->starts, 1) << "restarted without a pause";
  advance(milliseconds(60));
  EXPECT_EQ(lives[0]->starts, 2);
  EXPECT_EQ(lives[1]->starts, 1);
  EXPECT_EQ(metrics.of(service::stamp).consumer_restarts, 1);
}

TEST_F(supervisor_test, waits_longer_each_time_up_to_a_cap_and_forgets_old_failures) {
  start<supervisor>(std::vector<child>{child_named("a")}, metrics, seeds.next());
  run();
  milliseconds full{50};
  const auto crash_and_wait = [&] {
    const auto starts = lives[0]->starts;
    const auto crashed_at = virtual_now();
    crash(0);
    while (lives[0]->starts == starts && virtual_now() - crashed_at < seconds(10))
      advance(milliseconds(5));
    return virtual_now() - crashed_at;
  };
  for (int i = 0; i < 12; ++i) {
    const auto waited = crash_and_wait();
    EXPECT_GE(waited, full / 2) << i;
    EXPECT_LE(waited, full + milliseconds(10)) << i;
    full = std::min(full * 2, milliseconds(5'000));
  }
  advance(seconds(31));
  EXPECT_LE(crash_and_wait(), milliseconds(60)) << "after 31 s it had recovered";
}

TEST_F(supervisor_test, a_child_that_fails_as_it_starts_is_started_again) {
  int pulls = 0;
  const auto silent = keep(system.spawn(silent_log, &pulls));
  int starts = 0;
  std::vector<child> children{
      {"policy", service::stamp, [&](caf::local_actor& by) {
         ++starts;
         policy_definition d{{"p", service::stamp, service::payment}, {}, {}, {}};
         return caf::actor_cast<caf::actor>(
             by.spawn<policy>(env(service::stamp), d, silent, faults, consumer_limits{}));
       }}};
  data.inject({.name = "unreadable", .at = fault_point::read, .times = 3});
  start<supervisor>(std::move(children), metrics, seeds.next());
  advance(seconds(2));
  EXPECT_EQ(starts, 4);
  EXPECT_EQ(pulls, 1);
}

TEST_F(supervisor_test, ends_its_children_before_itself) {
  const auto s = start<supervisor>(std::vector<child>{child_named("a"), child_named("b")}, metrics,
                                   seeds.next());
  run();
  caf::scoped_actor self{system};
  for (const auto& l : lives) self->monitor(l->running);
  caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
  run();
  int gone = 0;
  for (int i = 0; i < 2; ++i)
    self->receive([&](const caf::down_msg&) { ++gone; }, caf::after(seconds(0)) >> [] {});
  EXPECT_EQ(gone, 2);
  advance(seconds(20));
  EXPECT_EQ(lives[0]->starts, 1);
}

// --- Housekeeping -------------------------------------------------------------------------------

class housekeeper_test : public actor_fixture {
 protected:
  void remember(const operation_id& operation) {
    commit c{.of = service::order};
    c.rows = operation_rows(operation, 1, accepted{}, wall_clock);
    write_commit(data, c);
  }

  std::size_t remembered(row_space space) {
    return data.read()->rows(service::order, space, {}, {}, 100'000).size();
  }

  /// An operation id in the gateway's format: the time, then chance.
  operation_id gateway_operation(unsigned chance) {
    operation_id id;
    const auto time = ordered_key(wall_clock.time_since_epoch().count());
    std::copy(time.begin() + 2, time.end(), id.bytes.begin());
    std::memcpy(&id.bytes[6], &chance, sizeof chance);
    return id;
  }
};

TEST_F(housekeeper_test, forgets_clients_keys_after_a_day_and_the_gateways_after_minutes) {
  keep(system.spawn(housekeeper, &env(service::order), service::order));
  remember(client_operation(1));
  remember(gateway_operation(1));
  advance(minutes(9));
  EXPECT_EQ(remembered(row_space::operations), 2U);
  advance(minutes(3));
  EXPECT_EQ(remembered(row_space::operations), 1U);
  advance(std::chrono::hours(23));
  EXPECT_EQ(remembered(row_space::operations), 1U);
  EXPECT_EQ(remembered(row_space::operation_expiry), 1U);
  advance(std::chrono::hours(1));
  EXPECT_EQ(remembered(row_space::operations), 0U);
  EXPECT_EQ(remembered(row_space::operation_expiry), 0U);
}

TEST_F(housekeeper_test, forgets_much_in_small_commits) {
  keep(system.spawn(housekeeper, &env(service::order), service::order));
  wall_clock -= minutes(20);
  commit c{.of = service::order};
  for (unsigned i = 0; i < 5'000; ++i)
    for (auto& row : operation_rows(gateway_operation(i), 0, accepted{}, wall_clock))
      c.rows.push_back(std::move(row));
  write_commit(data, c);
  wall_clock += minutes(20);
  advance(seconds(61), false);
  ASSERT_EQ(disk.waiting().size(), 1U);
  EXPECT_LE(disk.waiting().front().data.rows.size(), 2'000U);
  advance(seconds(1));
  EXPECT_EQ(remembered(row_space::operations), 0U) << "it does not wait a minute in between";
}

// The housekeeper counts the age of an operation by the service's own clock: otherwise the
// operations of a late gateway expire at once, and a repeat counts twice.
TEST_F(housekeeper_test, forgets_a_late_gateways_operations_by_the_services_own_time) {
  keep(system.spawn(housekeeper, &env(service::order), service::order));
  for (const auto difference : {-minutes(11), minutes(11), -minutes(4), minutes(4)}) {
    wall_clock += difference;
    const auto operation = gateway_operation(static_cast<unsigned>(difference.count()));
    wall_clock -= difference;
    remember(operation);
    EXPECT_TRUE(recorded_outcome(*data.read(), service::order, operation, 1));
  }
  advance(minutes(5));
  EXPECT_EQ(remembered(row_space::operations), 4U);
  advance(minutes(11));
  EXPECT_EQ(remembered(row_space::operations), 0U);
}

TEST_F(housekeeper_test, forgets_nothing_for_a_minute_where_the_wall_clock_jumps) {
  keep(system.spawn(housekeeper, &env(service::order), service::order));
  advance(minutes(2));
  remember(client_operation(1));
  remember(gateway_operation(1));
  wall_clock += std::chrono::hours(25);
  advance(seconds(59));
  EXPECT_EQ(remembered(row_space::operations), 2U);
  advance(minutes(3));
  EXPECT_EQ(remembered(row_space::operations), 0U);
}

TEST_F(housekeeper_test, tries_again_where_the_store_refuses) {
  keep(system.spawn(housekeeper, &env(service::order), service::order));
  remember(gateway_operation(1));
  data.inject({.name = "full", .code = errc::store_full, .times = 3});
  advance(minutes(20));
  EXPECT_EQ(remembered(row_space::operations), 0U);
  EXPECT_EQ(data.hits("full"), 3U);
}

}  // namespace
}  // namespace skanu
