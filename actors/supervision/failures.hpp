// What becomes of an actor that throws, or is sent an error.
#pragma once

#include <exception>
#include <string>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>

namespace skanu {

/// The reason with which an actor that threw ends; notes it in the log.
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

/// The first thing that every actor does. CAF's own handler of exceptions prints on standard
/// output, which is the ready line's alone; its handler of errors ends the actor.
inline void contain_failures(caf::scheduled_actor& self) {
  self.set_error_handler([](caf::error&) {});
  self.set_exception_handler([](caf::scheduled_actor* failed, std::exception_ptr& thrown) {
    return failure_of(*failed, thrown);
  });
}

}  // namespace skanu
