// What a node says in its log of peers that it refuses.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace skanu {

/// Says each peer and reason once a minute at most, with how often it came: who is refused tries
/// again several times a second.
class refusal_log {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes interval{1};
  /// What is told apart within a minute; all further ones are "others".
  static constexpr std::size_t most_told_apart = 64;

  void say(const std::string& peer, const std::string& reason, time_point now);

 private:
  struct said {
    time_point at;
    int times = 0;  ///< Since then.
  };

  std::map<std::pair<std::string, std::string>, said> said_;
};

}  // namespace skanu
