// What the actors of one service work with.
#pragma once

#include <functional>

#include "actors/operations/metrics.hpp"
#include "actors/operations/randomness.hpp"
#include "persistence/journal.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// Everything here outlives the actors; the functions and objects may be used by any thread.
struct service_environment {
  const store& data;
  commit_queue& commits;
  service_metrics& metrics;
  seed_source& seeds;
  std::function<instant()> wall_clock = wall_clock_now;
};

}  // namespace skanu
