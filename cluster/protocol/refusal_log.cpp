#include "cluster/protocol/refusal_log.hpp"

#include <spdlog/spdlog.h>

namespace skanu {

void refusal_log::say(const std::string& peer, const std::string& reason, time_point now) {
  auto key = std::pair(peer, reason);
  if (said_.size() >= most_told_apart && !said_.contains(key)) {
    std::erase_if(said_, [&](const auto& s) { return now - s.second.at >= interval; });
    if (said_.size() >= most_told_apart) key = {"others", "too many were refused to name each"};
  }
  const auto [found, is_new] = said_.try_emplace(key, said{now});
  auto& last = found->second;
  ++last.times;
  if (!is_new && now - last.at < interval) return;
  spdlog::error("event=peer_refused peer={} reason=\"{}\" times={}", key.first, key.second,
                last.times);
  last = {now};
}

}  // namespace skanu
