// Reading databases that may be damaged: in a process of its own, so that what ends that process
// becomes one clear line.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <sys/types.h>

namespace skanu {

/// Runs `work` in a child process and returns its exit status. Where the child crashes, or reads
/// nothing new for `patience`, one line on standard error names the table, and 2 is returned. Asked
/// to stop by a signal, it ends the child and returns 128 and the signal. `clean_up` gets the child
/// that did not come to its end. To be called before any thread is started.
int read_in_child(const std::string& data, const std::function<int()>& work,
                  const std::function<void(pid_t)>& clean_up = {},
                  std::chrono::milliseconds patience = std::chrono::minutes{1});

}  // namespace skanu
