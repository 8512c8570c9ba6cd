// Logs and followers for tests of one another: events written by the test, a log that never
// answers, and a follower that counts hints.
#pragma once

#include "actors/consumers/consumer.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {

/// A log that accepts every pull and never answers, like a hung log.
inline event_log_actor::behavior_type silent_log(event_log_actor::pointer self, int* pulls) {
  return {[=](pull_atom, const log_query&) {
            ++*pulls;
            return self->make_response_promise<event_batch>();
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
}

inline follower_actor::behavior_type counting_follower(follower_actor::pointer, int* hints) {
  return {[=](hint_atom, service) { ++*hints; }};
}

/// The usual limits of a consumer, except the size of a batch.
inline consumer_limits batches_of(std::size_t n) {
  consumer_limits limits;
  limits.batch = n;
  return limits;
}

}  // namespace skanu
