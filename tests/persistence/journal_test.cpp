// The journal's thread: batches, order, bounds, failures, the end. A gate in the observer makes the
// tests deterministic; every wait has a deadline.
#include "persistence/journal.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "persistence/tables/faulty_store.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"

namespace skanu {
namespace {

using std::chrono::seconds;
constexpr seconds deadline{20};

/// Holds the journal's thread before a write until the test opens the gate.
class gate final : public journal_observer {
 public:
  void before_write(std::span<const pending_commit> batch) override {
    std::unique_lock lock(mutex_);
    batches_.push_back(batch.size());
    changed_.notify_all();
    EXPECT_TRUE(changed_.wait_for(lock, deadline, [this] { return open_ || let_through_ > 0; }));
    if (!open_ && let_through_ > 0) --let_through_;
  }

  void after_write(std::span<const pending_commit>, std::span<const commit_result> results,
                   std::chrono::microseconds took) override {
    const std::lock_guard lock(mutex_);
    results_ += results.size();
    EXPECT_GE(took.count(), 0);
  }

  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void let_one_through() {
    const std::lock_guard lock(mutex_);
    ++let_through_;
    changed_.notify_all();
  }
  void wait_for_batches(std::size_t n) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, deadline, [&] { return batches_.size() >= n; }));
  }
  std::vector<std::size_t> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::size_t results() const {
    const std::lock_guard lock(mutex_);
    return results_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> batches_;
  std::size_t results_ = 0;
  bool open_ = false;
  int let_through_ = 0;
};

/// Gathers the answers from several threads, in the order of arrival.
class answers {
 public:
  reply ask(int number) {
    class sink final : public reply_sink {
     public:
      sink(answers& to, int number) : to_(to), number_(number) {}
      void deliver(outcome result) noexcept override { to_.take(number_, std::move(result)); }

     private:
      answers& to_;
      int number_;
    };
    return reply(std::make_unique<sink>(*this, number));
  }

  /// The word of answer `number`: "durable" or the error's; "none" after the deadline.
  std::string wait_for(int number) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, deadline, [&] { return words_.contains(number); })) return "none";
    return words_.at(number);
  }
  std::vector<int> order() const {
    const std::lock_guard lock(mutex_);
    return order_;
  }
  bool has(int number) const {
    const std::lock_guard lock(mutex_);
    return words_.contains(number);
  }

 private:
  void take(int number, outcome result) {
    const std::lock_guard lock(mutex_);
    const auto* e = std::get_if<error>(&result);
    words_[number] = e ? std::string(name_of(e->code)) : "durable";
    order_.push_back(number);
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, std::string> words_;
  std::vector<int> order_;
};

/// Counts the calls of on_failed().
struct counting_owner final : commit_owner {
  void on_failed(errc code) noexcept override {
    ++failures;
    last = code;
  }
  std::atomic<int> failures = 0;
  std::atomic<errc> last{};
};

class journal_test : public testing::Test {
 protected:
  ~journal_test() override { write_turn.open(); }

  pending_commit appending(int number, std::shared_ptr<commit_owner> owner = nullptr) {
    if (!owner) owner = std::make_shared<lone_commit_owner>();
    pending_commit c{.data = {.of = service::order}, .owner = std::move(owner)};
    c.data.events.push_back(std::to_string(number));
    c.answer = told.ask(number);
    c.result = accepted{};
    return c;
  }

  /// Submits a commit, and waits until the journal's thread stands at the gate with the commit.
  void occupy(journal& j, int number) {
    j.submit(appending(number));
    write_turn.wait_for_batches(1);
  }

  std::vector<std::string> logged() {
    std::vector<std::string> bodies;
    for (const auto& e : data.read()->events(service::order, 1, 100'000)) bodies.push_back(e.body);
    return bodies;
  }

  faulty_store data{make_table_store(make_memory_tables(), {service::order})};
  gate write_turn;
  answers told;
};

TEST_F(journal_test, writes_everything_that_waits_in_one_transaction) {
  journal j(data, &write_turn);
  occupy(j, 0);
  for (int i = 1; i <= 50; ++i) j.submit(appending(i));
  EXPECT_EQ(j.waiting(), 50U);
  write_turn.open();
  EXPECT_EQ(told.wait_for(50), "durable");
  EXPECT_EQ(write_turn.batches(), (std::vector<std::size_t>{1, 50}));
  EXPECT_EQ(j.waiting(), 0U);
}

TEST_F(journal_test, writes_and_answers_in_the_order_in_which_it_was_told) {
  std::vector<int> expected;
  {
    journal j(data, &write_turn);
    occupy(j, 0);
    for (int i = 1; i <= 100; ++i) j.submit(appending(i));
    write_turn.open();
  }
  for (int i = 0; i <= 100; ++i) expected.push_back(i);
  EXPECT_EQ(told.order(), expected);
  const auto bodies = logged();
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(bodies[i], std::to_string(i));
}

TEST_F(journal_test, answers_nothing_before_it_is_written) {
  journal j(data, &write_turn);
  occupy(j, 0);
  EXPECT_FALSE(told.has(0));
  EXPECT_TRUE(logged().empty());
  write_turn.open();
  EXPECT_EQ(told.wait_for(0), "durable");
  EXPECT_EQ(logged().size(), 1U);
}

TEST_F(journal_test, a_batch_is_bounded) {
  {
    journal j(data, &write_turn, {.waiting = 1'000, .batch = 10});
    occupy(j, 0);
    for (int i = 1; i <= 35; ++i) j.submit(appending(i));
    write_turn.open();
  }
  EXPECT_EQ(write_turn.batches(), (std::vector<std::size_t>{1, 10, 10, 10, 5}));
  EXPECT_EQ(write_turn.results(), 36U);
  EXPECT_EQ(logged().size(), 36U);
}

TEST_F(journal_test, what_is_over_its_bound_fails_at_once) {
  journal j(data, &write_turn, {.waiting = 3, .batch = 10});
  occupy(j, 0);
  for (int i = 1; i <= 3; ++i) j.submit(appending(i));
  const auto owner = std::make_shared<counting_owner>();
  j.submit(appending(4, owner));
  EXPECT_EQ(told.wait_for(4), "overloaded");
  EXPECT_EQ(owner->failures, 1);
  EXPECT_EQ(owner->in_flight(), 0);
  write_turn.open();
  EXPECT_EQ(told.wait_for(3), "durable");
  EXPECT_EQ(logged().size(), 4U);
  j.submit(appending(5));
  EXPECT_EQ(told.wait_for(5), "durable");
}

TEST_F(journal_test, an_owner_whose_commit_failed_writes_nothing_more) {
  journal j(data, &write_turn);
  occupy(j, 0);
  data.inject({.name = "refused", .code = errc::conflicting_commit, .when = [](const commit& c) {
                 return c.events.front() == "1";
               }});
  const auto owner = std::make_shared<counting_owner>();
  j.submit(appending(1, owner));
  write_turn.let_one_through();
  write_turn.wait_for_batches(2);
  j.submit(appending(2, owner));
  j.submit(appending(3));
  EXPECT_EQ(owner->in_flight(), 2);
  EXPECT_FALSE(owner->failed());
  write_turn.open();
  EXPECT_EQ(told.wait_for(1), "conflicting-commit");
  EXPECT_EQ(told.wait_for(2), "conflicting-commit") << "it was built on what is not there";
  EXPECT_EQ(told.wait_for(3), "durable");
  EXPECT_EQ(owner->failures, 1) << "told once";
  EXPECT_EQ(owner->last, errc::conflicting_commit);
  EXPECT_TRUE(owner->failed());
  EXPECT_EQ(logged(), (std::vector<std::string>{"0", "3"}));
}

TEST_F(journal_test, later_commits_in_the_same_batch_fail_with_the_first_ones_code) {
  journal j(data, &write_turn);
  occupy(j, 0);
  data.inject({.name = "full", .code = errc::store_full, .when = [](const commit& c) {
                 return c.events.front() == "2";
               }});
  const auto owner = std::make_shared<counting_owner>();
  j.submit(appending(1));
  j.submit(appending(2, owner));
  j.submit(appending(3, owner));
  write_turn.open();
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(told.wait_for(i), "store-full");
  EXPECT_EQ(owner->failures, 1);
}

TEST_F(journal_test, what_an_observer_forbids_is_not_written) {
  struct forbidding final : journal_observer {
    bool may_write() override { return false; }
  } forbids;
  {
    journal j(data, &forbids);
    j.submit(appending(1));
  }
  EXPECT_EQ(told.wait_for(1), "store-failed");
  EXPECT_TRUE(logged().empty());
}

TEST_F(journal_test, a_later_failure_is_told_with_the_cause_of_the_first) {
  journal j(data, &write_turn, {.waiting = 1, .batch = 10});
  data.inject({.name = "refused", .code = errc::conflicting_commit});
  const auto owner = std::make_shared<counting_owner>();
  j.submit(appending(0, owner));
  write_turn.let_one_through();
  EXPECT_EQ(told.wait_for(0), "conflicting-commit");
  j.submit(appending(1));
  write_turn.wait_for_batches(2);
  j.submit(appending(2));
  j.submit(appending(3, owner));
  EXPECT_EQ(told.wait_for(3), "conflicting-commit") << "and not that too much waits";
  EXPECT_EQ(owner->failures, 1);
  write_turn.open();
  EXPECT_EQ(told.wait_for(2), "durable");
  const auto other = std::make_shared<counting_owner>();
  auto dependent = appending(4, other);
  dependent.builds_on = owner;
  j.submit(std::move(dependent));
  EXPECT_EQ(told.wait_for(4), "conflicting-commit") << "of what it builds on";
  EXPECT_EQ(logged(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(journal_test, goes_on_after_the_database_refused) {
  journal j(data, &write_turn);
  data.inject({.name = "full", .code = errc::store_full, .times = 2});
  write_turn.open();
  for (int i = 0; i < 2; ++i) {
    j.submit(appending(i));
    EXPECT_EQ(told.wait_for(i), "store-full");
  }
  j.submit(appending(2));
  EXPECT_EQ(told.wait_for(2), "durable");
  EXPECT_EQ(logged(), std::vector<std::string>{"2"});
}

TEST_F(journal_test, its_end_waits_for_what_waits) {
  std::optional<journal> j;
  j.emplace(data, &write_turn);
  occupy(*j, 0);
  for (int i = 1; i <= 20; ++i) j->submit(appending(i));
  write_turn.open();
  j.reset();
  for (int i = 0; i <= 20; ++i) EXPECT_TRUE(told.has(i)) << i;
  EXPECT_EQ(logged().size(), 21U);
}

TEST_F(journal_test, an_answer_may_be_empty) {
  {
    journal j(data, nullptr);
    auto c = appending(1);
    c.answer.lose();
    c.answer = {};
    j.submit(std::move(c));
  }
  EXPECT_EQ(logged().size(), 1U);
}

TEST_F(journal_test, many_threads_may_submit) {
  constexpr int threads = 4, each = 200;
  {
    journal j(data, &write_turn);
    write_turn.open();
    std::vector<std::thread> clients;
    for (int t = 0; t < threads; ++t)
      clients.emplace_back([&, t] {
        const auto owner = std::make_shared<counting_owner>();
        for (int i = 0; i < each; ++i) j.submit(appending(t * each + i, owner));
      });
    for (auto& c : clients) c.join();
  }
  EXPECT_EQ(told.order().size(), static_cast<std::size_t>(threads * each));
  const auto bodies = logged();
  EXPECT_EQ(std::set<std::string>(bodies.begin(), bodies.end()).size(), bodies.size());
  std::array<int, threads> last{};
  last.fill(-1);
  for (const auto& body : bodies) {
    const auto number = std::stoi(body);
    auto& before = last[static_cast<std::size_t>(number / each)];
    EXPECT_LT(before, number) << "one client's commits changed places";
    before = number;
  }
}

}  // namespace
}  // namespace skanu
