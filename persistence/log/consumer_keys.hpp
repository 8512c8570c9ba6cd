// Keys of a log consumer's durable rows in the tables of the consumer's service.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// Returns the meta key of a consumer's position: the last offset processed.
inline std::string position_key(std::string_view consumer) {
  return "position:" + std::string(consumer);
}

/// Returns the meta key of the log's timelines as a consumer has read them.
inline std::string timelines_key(std::string_view consumer) {
  return "timelines:" + std::string(consumer);
}

/// Returns the prefix of the meta keys of a consumer's forks; the last known offset and the time
/// follow.
inline std::string fork_prefix(std::string_view consumer) {
  return "fork:" + std::string(consumer) + ':';
}

/// Returns the prefix of a consumer's dead letters; the target entity and the offset follow.
inline std::string dead_letter_prefix(std::string_view consumer) {
  return std::string(consumer) + '/';
}

/// Returns the prefix of a consumer's discarded dead letters, kept for the audit.
inline std::string discarded_prefix(std::string_view consumer) {
  return std::string(consumer) + ":discarded/";
}

}  // namespace skanu
