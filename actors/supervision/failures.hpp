// Handling of exceptions and errors in actors.
#pragma once

#include <exception>
#include <string>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>

namespace skanu {

/// Logs the exception, and returns the exit reason for the failed actor.
inline caf::error failure_of(const caf::local_actor& self, const std::exception_ptr& thrown) {
  std::string why = "unknown";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& problem) {
    why = problem.what();
  } catch (...) {
  }
  spdlog::error("event=actor_failed name={} reason=\"{}\"", self.name(), why);
  return caf::make_error(caf::sec::runtime_error, std::move(why));
}

/// Installs the handlers of errors and exceptions; every actor calls contain_failures first. CAF's
/// own exception handler prints on standard output, reserved for the ready line; CAF's own error
/// handler ends the actor, while this handler logs an error message and lets the actor go on.
inline void contain_failures(caf::scheduled_actor& self) {
  self.set_error_handler([](caf::scheduled_actor* told, caf::error& problem) {
    spdlog::warn("event=error_received name={} reason=\"{}\"", told->name(),
                 told->system().render(problem));
  });
  self.set_exception_handler([](caf::scheduled_actor* failed, std::exception_ptr& thrown) {
    return failure_of(*failed, thrown);
  });
}

}  // namespace skanu
