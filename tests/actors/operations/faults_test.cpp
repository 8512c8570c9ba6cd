// Faults on demand: the accepted texts, and the times of the faults.
#include "actors/operations/faults.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace skanu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Sets the moment of readiness to `ago` before now.
void begin(fault_plan& faults, milliseconds ago) { faults.begin(fault_plan::clock::now() - ago); }

TEST(fault_plan, takes_what_its_help_shows) {
  for (const auto* text : {"payment-delay=400ms..620ms", "payment-delay=1.5s", "payment-delay=0ms",
                           "payment-fail=1", "payment-fail=0.1", "payment-fail=0",
                           "payment-fail=1@0s..10s", "payment-lose-reply=0.5@1s..2s",
                           "payment-delay=1s..2s@100ms..200ms", "crash-at=order.before-commit:3",
                           "crash-at=stamp.after-commit", "crash-at=policy.before-position:1"})
    EXPECT_EQ(fault_plan().add(text), std::nullopt) << text;
}

TEST(fault_plan, says_what_is_wrong_with_the_rest) {
  for (const auto* text : {"",
                           "=",
                           "payment-fail",
                           "payment-fail=",
                           "payment-fail=x",
                           "payment-fail=1.1",
                           "payment-fail=-0.1",
                           "payment-fail=nan",
                           "payment-fail=1@",
                           "payment-fail=1@5s",
                           "payment-fail=1@10s..5s",
                           "payment-fail=1@a..b",
                           "payment-delay=",
                           "payment-delay=5",
                           "payment-delay=-1s",
                           "payment-delay=2s..1s",
                           "payment-delay=1s..",
                           "payment-delay=1e99s",
                           "payment-delay=infs",
                           "payment-delay=nans",
                           "payment-delay=nanms",
                           "crash-at=",
                           "crash-at=nowhere",
                           "crash-at=order.before-commit:0",
                           "crash-at=order.before-commit:-1",
                           "crash-at=order.before-commit:1.5",
                           "crash-at=order.before-commit:x",
                           "crash-at=order.before-commit:",
                           "crash-at=order.before-commit:1e300",
                           "crash-at=order.before-commit:nan",
                           "earthquake=1"}) {
    const auto wrong = fault_plan().add(text);
    ASSERT_TRUE(wrong) << text;
    EXPECT_FALSE(wrong->empty());
  }
}

TEST(fault_plan, nothing_happens_that_was_not_asked_for) {
  fault_plan faults;
  begin(faults, seconds(5));
  EXPECT_FALSE(faults.touches_payment());
  EXPECT_FALSE(faults.payment_delay());
  EXPECT_FALSE(faults.payment_fails());
  EXPECT_FALSE(faults.payment_loses_reply());
  for (const auto& point : fault_plan::points()) faults.pass(point, 1'000);
}

TEST(fault_plan, is_active_in_its_window_since_ready_only) {
  struct example {
    std::optional<milliseconds> ready_ago;
    bool active;
  };
  for (const auto& x : std::vector<example>{
           {{}, false}, {seconds(5), false}, {seconds(15), true}, {seconds(25), false}}) {
    fault_plan faults;
    ASSERT_FALSE(faults.add("payment-fail=1@10s..20s"));
    ASSERT_FALSE(faults.add("payment-lose-reply=1@10s..20s"));
    ASSERT_FALSE(faults.add("payment-delay=7ms@10s..20s"));
    EXPECT_TRUE(faults.touches_payment());
    if (x.ready_ago) begin(faults, *x.ready_ago);
    EXPECT_EQ(faults.payment_fails(), x.active);
    EXPECT_EQ(faults.payment_loses_reply(), x.active);
    EXPECT_EQ(faults.payment_delay().has_value(), x.active);
  }
}

TEST(fault_plan, happens_as_often_as_its_probability_says) {
  fault_plan never, sometimes, always;
  ASSERT_FALSE(never.add("payment-fail=0"));
  ASSERT_FALSE(sometimes.add("payment-fail=0.3"));
  ASSERT_FALSE(always.add("payment-fail=1"));
  int often = 0;
  for (auto* faults : {&never, &sometimes, &always}) begin(*faults, seconds(1));
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(never.payment_fails());
    EXPECT_TRUE(always.payment_fails());
    often += sometimes.payment_fails();
  }
  EXPECT_GT(often, 2'500);
  EXPECT_LT(often, 3'500);
}

TEST(fault_plan, delays_are_spread_over_their_range) {
  fault_plan faults;
  ASSERT_FALSE(faults.add("payment-delay=400ms..620ms"));
  begin(faults, seconds(1));
  milliseconds least = milliseconds::max(), most{0};
  for (int i = 0; i < 5'000; ++i) {
    const auto delay = *faults.payment_delay();
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, milliseconds(400));
  EXPECT_LE(least, milliseconds(405));
  EXPECT_LE(most, milliseconds(620));
  EXPECT_GE(most, milliseconds(615));
}

TEST(fault_plan, its_points_are_named_in_its_help) {
  const auto help = fault_plan::help();
  EXPECT_GE(fault_plan::points().size(), 14U);
  for (const auto& point : fault_plan::points()) EXPECT_NE(help.find(point), help.npos) << point;
  for (const auto* name : {"payment-delay", "payment-fail", "payment-lose-reply", "crash-at"})
    EXPECT_NE(help.find(name), help.npos);
}

/// Returns the signal of a child's end after the given passes of a point; 0 if the child survived.
int signal_after(const char* fault, std::vector<std::int64_t> passes,
                 std::optional<milliseconds> ready_ago = {}) {
  const auto child = ::fork();
  if (child == 0) {
    fault_plan faults;
    if (faults.add(fault)) ::_exit(2);
    if (ready_ago) begin(faults, *ready_ago);
    for (const auto times : passes) faults.pass("order.before-commit", times);
    faults.pass("order.after-commit", 1'000);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return 0;
}

TEST(fault_plan, the_process_dies_at_the_pass_that_was_asked_for) {
  EXPECT_EQ(signal_after("crash-at=order.before-commit:3", {1, 1}), 0);
  EXPECT_EQ(signal_after("crash-at=order.before-commit:3", {1, 1, 1}), SIGKILL);
  EXPECT_EQ(signal_after("crash-at=order.before-commit:3", {2}), 0);
  EXPECT_EQ(signal_after("crash-at=order.before-commit:3", {2, 5}), SIGKILL) << "within a batch";
  EXPECT_EQ(signal_after("crash-at=order.before-commit", {1}), SIGKILL);
  EXPECT_EQ(signal_after("crash-at=payment.before-commit", {100}), 0);
}

TEST(fault_plan, the_window_of_a_crash_was_ignored) {
  const auto* fault = "crash-at=order.before-commit:2@10s..20s";
  EXPECT_EQ(signal_after(fault, {5}), 0) << "before it is ready";
  EXPECT_EQ(signal_after(fault, {5}, seconds(9)), 0);
  EXPECT_EQ(signal_after(fault, {1}, seconds(15)), 0);
  EXPECT_EQ(signal_after(fault, {1, 1}, seconds(15)), SIGKILL);
  EXPECT_EQ(signal_after(fault, {5}, seconds(21)), 0);
}

}  // namespace
}  // namespace skanu
