// Logs for tests of their followers: events written by the test, and a log that never answers.
#pragma once

#include "tests/support/actor_fixture.hpp"

namespace skanu {

/// Appends events to a service's log, without an entity.
inline void append_events(store& to, service of, std::vector<std::string> bodies) {
  commit c{.of = of};
  c.events = std::move(bodies);
  const auto* one = &c;
  ASSERT_EQ(to.write({&one, 1}).front(), std::nullopt);
}

/// Writes rows of a service without any entity.
inline void write_rows(store& to, service of, std::vector<row_write> rows) {
  commit c{.of = of};
  c.rows = std::move(rows);
  const auto* one = &c;
  ASSERT_EQ(to.write({&one, 1}).front(), std::nullopt);
}

/// A log that accepts every pull and never answers, like a hung log.
inline event_log_actor::behavior_type silent_log(event_log_actor::pointer self, int* pulls) {
  return {[=](pull_atom, const log_query&) {
            ++*pulls;
            return self->make_response_promise<event_batch>();
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
}

}  // namespace skanu
