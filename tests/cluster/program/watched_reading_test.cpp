// A crash or hang while reading becomes one line with the table's name.
#include "cluster/program/watched_reading.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "persistence/tables/reading_progress.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

constexpr table payment_log{service::payment, table_kind::log};

/// Returns the exit status and the error output. `work` must not return, or the child would go on
/// running the test.
std::pair<int, std::string> outcome_of(const std::function<void()>& work,
                                       std::chrono::milliseconds patience = 20s) {
  testing::internal::CaptureStderr();
  const int status = read_in_child(
      "./data",
      [&]() -> int {
        work();
        ::_exit(77);
      },
      {}, patience);
  return {status, testing::internal::GetCapturedStderr()};
}

TEST(watched_reading, that_comes_to_its_end_says_nothing_and_has_its_status) {
  EXPECT_EQ(outcome_of([] { ::_exit(1); }), std::pair(1, std::string()));
}

// A crash while reading must name the damaged table.
TEST(watched_reading, that_crashes_names_the_table) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS}) {
    const auto [status, said] = outcome_of([signal] {
      note_reading(payment_log);
      std::signal(signal, SIG_DFL);
      ::raise(signal);
    });
    EXPECT_EQ(status, 2);
    EXPECT_EQ(said.find("skanu: the data in ./data is damaged: reading the table payment.log ended "
                        "by signal " +
                        std::to_string(signal)),
              0U)
        << said;
  }
}

// A hang ends, too.
TEST(watched_reading, that_makes_no_progress_is_ended) {
  const auto [status, said] = outcome_of(
      [] {
        note_reading(payment_log);
        ::alarm(20);  // without the guard it ends by that signal, and says so
        for (;;) ::pause();
      },
      300ms);
  EXPECT_EQ(status, 2);
  EXPECT_EQ(said,
            "skanu: the data in ./data is damaged: reading the table payment.log does not come to "
            "an end\n");
}

TEST(watched_reading, that_goes_on_is_given_its_time) {
  static constexpr auto patience = 500ms;
  const auto [status, said] = outcome_of(
      [] {
        const auto end = std::chrono::steady_clock::now() + 4 * patience;
        while (std::chrono::steady_clock::now() < end) note_reading(payment_log);
        ::_exit(0);
      },
      patience);
  EXPECT_EQ(status, 0) << said;
}

}  // namespace
}  // namespace skanu
