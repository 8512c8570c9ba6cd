// An actor learns of errors by message.
#include "actors/supervision/failures.hpp"

#include <gtest/gtest.h>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/log_capture.hpp"

namespace skanu {
namespace {

caf::behavior contained(caf::event_based_actor* self) {
  contain_failures(*self);
  return {[](int number) { return number; }};
}

class failures_test : public actor_fixture {};

TEST_F(failures_test, an_error_message_leaves_a_line_and_does_not_end_the_actor) {
  const log_capture log;
  const auto told = keep(system.spawn(contained));
  caf::anon_send(told, caf::make_error(caf::sec::runtime_error, std::string("a test's error")));
  run();
  EXPECT_EQ(log.lines_with("warning event=error_received", "name=", "a test's error"), 1);
  caf::scoped_actor self{system};
  auto asked = self->request(told, caf::infinite, 7);
  run();
  bool answered = false;
  asked.receive([&](int number) { answered = number == 7; }, [](const caf::error&) {});
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace skanu
