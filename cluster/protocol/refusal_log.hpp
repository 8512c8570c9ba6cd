// The log of refused peers.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace skanu {

/// Logs each pair of peer and reason at most once a minute, with the number of refusals: a refused
/// peer tries again several times a second.
class refusal_log {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes interval{1};
  /// Limit of pairs within a minute; further pairs count as "others".
  static constexpr std::size_t most_told_apart = 64;

  void say(const std::string& peer, const std::string& reason, time_point now);

 private:
  struct said {
    time_point at;
    int times = 0;  ///< Refusals since `at`.
  };

  std::map<std::pair<std::string, std::string>, said> said_;
};

}  // namespace skanu
