// Reads perhaps damaged databases in a child process, so that a crash of the child becomes a clear
// message.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <sys/types.h>

namespace skanu {

/// Reaction to SIGINT and SIGTERM.
enum class at_stop : std::uint8_t {
  kill,  ///< Kills the child; the exit status is 128 plus the signal.
  ask,   ///< Passes SIGTERM on, and kills a child that goes on for 5 s.
};

/// A child may wait for its own reader for any time.
inline constexpr std::chrono::milliseconds any_time = std::chrono::hours{24 * 365};

/// Runs `work` in a child process and returns the child's exit status. Call before any thread
/// starts.
/// - If the child crashes, or reads no new data for `patience`, prints a line with the table's name
///   on standard error and returns 2.
/// - On SIGINT or SIGTERM, stops the child.
/// - If the child does not exit by itself, calls `clean_up` with the child's id.
int read_in_child(const std::string& data, const std::function<int()>& work,
                  const std::function<void(pid_t)>& clean_up = {},
                  std::chrono::milliseconds patience = std::chrono::minutes{1},
                  at_stop stopping = at_stop::kill);

}  // namespace skanu
