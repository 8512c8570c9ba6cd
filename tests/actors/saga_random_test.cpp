// The saga with random clients, faults and crashes. In the end the audit demands every invariant.
#include <array>
#include <random>

#include "tests/actors/saga_fixture.hpp"
#include "tests/support/seed.hpp"

namespace skanu {
namespace {

class random_saga_test : public saga_test {
 protected:
  int crashes_left = 20;

  void live_through(std::uint64_t seed) {
    random_.seed(seed);
    start_node();
    settle();
    for (int step = 0; step < 150; ++step) take_a_step();
    data.heal();
    catch_up();
    expect_sound();
    expect_acknowledged_changes_stored();
  }

 private:
  std::int64_t pick(std::int64_t below) {
    return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_);
  }
  template <class T, std::size_t N>
  const T& pick_of(const std::array<T, N>& choices) {
    return choices[static_cast<std::size_t>(pick(std::int64_t{N}))];
  }

  void take_a_step() {
    const entity_id id = 1 + pick(static_cast<std::int64_t>(placings_.size()) + 1);
    switch (pick(16)) {
      case 0:
      case 1:
      case 2: place_any(); break;
      case 3:
      case 4: payings_.emplace_back(id, pay(id)); break;
      case 5: tell(orders, id, cancel_order{}); break;
      case 6: tell(payments, id, cancel_payment{}); break;
      case 7:
      case 8: move(id, static_cast<delivery_status>(1 + pick(5))); break;
      case 9: tell(stamps, account_id_of(pick_of(phones_)), add_stamps{pick(9) - 4}); break;
      case 10: run(); break;
      case 11: disk.turn(static_cast<std::size_t>(1 + pick(4))); break;
      case 12: settle(); break;
      case 13: advance(milliseconds(5 + pick(100)), pick(2) == 0); break;
      case 14: inject_a_fault(); break;
      default:
        if (pick(4) == 0 && crashes_left-- > 0) crash_and_restart();
    }
  }

  void place_any() {
    const auto number = pick(3) == 0 ? std::nullopt : std::optional(pick_of(phones_));
    placings_.push_back(place(number, 1 + pick(5)));
  }

  void inject_a_fault() {
    constexpr std::array points = {fault_point::before_write, fault_point::after_write};
    constexpr std::array codes = {errc::store_full, errc::store_failed, errc::outcome_unknown,
                                  errc::conflicting_commit};
    const auto at = pick_of(points);
    const auto code = at == fault_point::after_write ? errc::outcome_unknown : pick_of(codes);
    const auto times = static_cast<std::size_t>(1 + pick(3));
    data.inject({.name = "random", .at = at, .code = code, .times = times});
  }

  void crash_and_restart() {
    run();
    disk.turn(static_cast<std::size_t>(pick(3)));
    crash_node();
    start_node();
  }

  void expect_sound() {
    const auto report = audited();
    EXPECT_TRUE(idle()) << "a consumer stands still: " << report.to_json();
    EXPECT_TRUE(report.sound()) << report.to_json();
    EXPECT_EQ(report.pending, 0);
  }

  /// Demands the seventh invariant of ARCHITECTURE.md: every acknowledged change is stored.
  void expect_acknowledged_changes_stored() {
    for (const auto& p : placings_) {
      if (!p.word().starts_with("created")) continue;
      const auto order = stored_state<order_state>(service::order, p.id());
      EXPECT_TRUE(order_rules::listed(order)) << p.id();
    }
    for (const auto& [id, p] : payings_) {
      if (!p.word().starts_with("changed")) continue;
      EXPECT_EQ(events_of(service::payment, id, "Paid"), 1) << id;
    }
  }

  const std::array<std::string, 2> phones_ = {"01012341234", "01056785678"};
  std::mt19937_64 random_;
  std::vector<asked> placings_;
  std::vector<std::pair<entity_id, asked>> payings_;
};

TEST_F(random_saga_test, whatever_clients_faults_and_crashes_do_the_audit_is_sound) {
  const auto seed = seed_of_this_run();
  SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed));
  live_through(seed);
}

TEST_F(random_saga_test, the_same_with_a_journal_for_each_service) {
  const auto seed = seed_of_this_run();
  SCOPED_TRACE("SKANU_SEED=" + std::to_string(seed));
  shared_journal = false;
  batch = 500;  // with a journal per service, a crash leaves whole blocks of ids to reject
  crashes_left = 2;
  live_through(seed);
}

}  // namespace
}  // namespace skanu
