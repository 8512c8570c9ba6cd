// The tools of the actors of one service.
#pragma once

#include <functional>

#include "actors/operations/metrics.hpp"
#include "actors/operations/randomness.hpp"
#include "persistence/journal.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The members outlive the actors; any thread may use the functions and objects.
struct service_environment {
  const store& data;
  commit_queue& commits;
  service_metrics& metrics;
  seed_source& seeds;
  std::function<instant()> wall_clock = wall_clock_now;
};

}  // namespace skanu
