// Waiting in the front: bounds on its threads, and the deadline of a change.
#include "http/api/gateway.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <thread>

#include "tests/support/actor_fixture.hpp"

namespace skanu {
namespace {

/// Readers of frozen services: a read waits until the test thaws the services.
class frozen {
 public:
  std::unique_ptr<reading> read() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait_for(lock, seconds(30), [this] { return thawed_; });
    throw store_error(errc::service_away, "it was frozen");
  }

  bool wait_for(int readers) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(30), [&] { return inside_ == readers; });
  }

  void thaw() {
    const std::lock_guard lock(mutex_);
    thawed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool thawed_ = false;
};

/// Payments and deliveries run elsewhere and are frozen; orders run elsewhere and answer; stamps
/// run here.
class gateway_test : public testing::Test {
 protected:
  gateway_test() {
    spdlog::set_level(spdlog::level::off);
    service_directory directory;
    const auto set = [&](service s, auto read) {
      directory.readers[static_cast<std::size_t>(s)] = read;
      directory.elsewhere[static_cast<std::size_t>(s)] = s != service::stamp;
    };
    for (const auto s : {service::payment, service::delivery})
      set(s, [this] { return there.read(); });
    for (const auto s : {service::order, service::stamp}) set(s, [this] { return data.read(); });
    to.emplace(std::move(directory), seeds);
  }

  ~gateway_test() override { there.thaw(); }

  /// Reads in the manner of a thread of the front, and returns the word of the result.
  std::string read(service s) {
    try {
      to->read(s, [&](const reading& now) { return now.listed_entity(s, 1); });
    } catch (const store_error& e) {
      return std::string(name_of(e.code()));
    }
    return "an answer";
  }

  /// Starts `n` reads, each on a thread of its own.
  void start_readers(service s, int n) {
    for (int i = 0; i < n; ++i)
      waiting.push_back(std::async(std::launch::async, [this, s] { return read(s); }));
  }

  frozen there;
  faulty_store data{
      make_table_store(make_memory_tables(), {std::begin(all_services), std::end(all_services)})};
  seed_source seeds{1};
  std::optional<gateway> to;
  std::vector<std::future<std::string>> waiting;
};

// The bounds keep frozen services from holding every thread of the front.
TEST_F(gateway_test, reads_of_a_frozen_service_elsewhere_leave_threads_to_the_others) {
  start_readers(service::payment, gateway::most_of_one_elsewhere);
  ASSERT_TRUE(there.wait_for(gateway::most_of_one_elsewhere));
  EXPECT_EQ(read(service::payment), "overloaded");
  EXPECT_EQ(read(service::order), "an answer") << "another service elsewhere";
  start_readers(service::delivery, gateway::most_elsewhere - gateway::most_of_one_elsewhere);
  ASSERT_TRUE(there.wait_for(gateway::most_elsewhere));
  EXPECT_EQ(read(service::delivery), "overloaded");
  EXPECT_EQ(read(service::order), "overloaded");
  EXPECT_EQ(read(service::stamp), "an answer") << "it is here, and waits for nobody";
  there.thaw();
  for (auto& w : waiting) EXPECT_EQ(w.get(), "service-away");
  EXPECT_EQ(read(service::order), "an answer");
}

TEST_F(gateway_test, a_change_waits_in_the_same_places_as_the_reads) {
  start_readers(service::payment, gateway::most_of_one_elsewhere);
  ASSERT_TRUE(there.wait_for(gateway::most_of_one_elsewhere));
  const auto refused = to->tell(1, payment_command(cancel_payment{}), {});
  ASSERT_TRUE(std::holds_alternative<error>(refused));
  EXPECT_EQ(std::get<error>(refused).code, errc::overloaded);
}

// A service's silence must not lower its bound, or a restart of the service turns customers away.
TEST_F(gateway_test, a_silent_service_elsewhere_turns_nobody_away_below_its_bound) {
  start_readers(service::payment, 100);
  ASSERT_TRUE(there.wait_for(100));
  ASSERT_EQ(waiting.front().wait_for(milliseconds(600)), std::future_status::timeout);
  start_readers(service::payment, 100);
  EXPECT_TRUE(there.wait_for(200));
}

/// Payments here: a change waits until the test answers.
class held_changes {
 public:
  void hold(reply answer) {
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(answer));
    changed_.notify_all();
  }

  bool wait_for(std::size_t changes) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(30), [&] { return held_.size() == changes; });
  }

  /// Answers that many changes, or all, the last first.
  void answer_last(std::size_t changes) {
    const std::lock_guard lock(mutex_);
    for (; changes > 0 && !held_.empty(); --changes, held_.pop_back())
      held_.back()(accepted{effect::changed, 1, 1, nullptr});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<reply> held_;
};

payment_region_actor::behavior_type holding_payment(payment_region_actor::pointer,
                                                    held_changes* held) {
  return {
      [=](entity_id, payment_command&, command_context& r) { held->hold(std::move(r.answer)); }};
}

// Half a second without an answer lowers the bound of a service here to 64, and the next answer
// raises the bound again: a busy, slow service is not stuck.
TEST(gateway_bulkhead, an_answer_ends_the_silence_of_a_service) {
  constexpr std::size_t most_when_silent = 64;
  caf::actor_system_config config;
  caf::actor_system system{config};
  held_changes held;
  const auto payments = system.spawn(holding_payment, &held);
  service_directory directory;
  directory.entities.of<payment_command>() = payments;
  seed_source seeds{1};
  gateway to(std::move(directory), seeds);
  std::vector<std::future<std::string>> changes;
  const auto change = [&] { return word_for(to.tell(1, payment_command(cancel_payment{}), {})); };
  const auto start = [&] { changes.push_back(std::async(std::launch::async, change)); };
  while (changes.size() < most_when_silent - 1) start();
  ASSERT_TRUE(held.wait_for(most_when_silent - 1));
  start();
  ASSERT_TRUE(held.wait_for(most_when_silent));
  ASSERT_EQ(changes.front().wait_for(milliseconds(600)), std::future_status::timeout);
  EXPECT_EQ(change(), "overloaded");
  held.answer_last(1);
  EXPECT_EQ(changes.back().get(), "changed v1");
  changes.pop_back();
  start();
  start();
  EXPECT_TRUE(held.wait_for(most_when_silent + 1));
  held.answer_last(changes.size());
  caf::anon_send_exit(payments, caf::exit_reason::user_shutdown);
}

/// Payments that refuse the first try of each change, and note each try's deadline.
payment_region_actor::behavior_type hesitant_payment(
    payment_region_actor::pointer, std::vector<std::chrono::steady_clock::time_point>* until) {
  return {[=](entity_id id, payment_command&, command_context& r) {
    until->push_back(r.until.value());
    if (until->size() == 1) return r.answer(error{errc::entity_failed, "not now"});
    r.answer(accepted{effect::changed, id, 1, nullptr});
  }};
}

TEST(gateway_deadline, the_tries_of_one_change_share_one_deadline) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::vector<std::chrono::steady_clock::time_point> until;
  const auto payments = system.spawn(hesitant_payment, &until);
  service_directory directory;
  directory.entities.of<payment_command>() = payments;
  seed_source seeds{1};
  gateway to(std::move(directory), seeds);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(std::holds_alternative<accepted>(to.tell(1, payment_command(cancel_payment{}), {})));
  const auto after = std::chrono::steady_clock::now();
  ASSERT_EQ(until.size(), 2U);
  EXPECT_EQ(until[0], until[1]);
  EXPECT_GE(until[0], before + call_deadline);
  EXPECT_LE(until[0], after + call_deadline);
  caf::anon_send_exit(payments, caf::exit_reason::user_shutdown);
}

TEST(gateway_pages_test, only_pages_that_walk_far_are_read_on_the_thread_apart) {
  const auto data =
      make_table_store(make_memory_tables(), {std::begin(all_services), std::end(all_services)});
  std::thread::id on;
  service_directory directory;
  directory.readers[static_cast<std::size_t>(service::stamp)] = [&] {
    on = std::this_thread::get_id();
    return data->read();
  };
  seed_source seeds{1};
  gateway to(std::move(directory), seeds);
  const auto apart = [&](page_query query) {
    to.page(service::stamp, query);
    return on != std::this_thread::get_id();
  };
  EXPECT_FALSE(apart({.size = 20}));
  EXPECT_FALSE(apart({.number = 24, .size = 20}));
  EXPECT_FALSE(apart({.size = 500}));
  EXPECT_FALSE(apart({.after = 100'000, .size = 20}));
  EXPECT_TRUE(apart({.number = 25, .size = 20}));
  EXPECT_TRUE(apart({.size = 501}));
  EXPECT_TRUE(apart({.number = 1, .size = 500}));
}

}  // namespace
}  // namespace skanu
