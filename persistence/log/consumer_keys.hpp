// Where the consumer of a log keeps what is durable of it: rows in the tables of its own service.
#pragma once

#include <string>
#include <string_view>

namespace skanu {

/// The key, in the meta rows, of the offset up to which a consumer has worked off its log.
inline std::string position_key(std::string_view consumer) {
  return "position:" + std::string(consumer);
}

/// The key, in the meta rows, of the timelines under which a consumer has read its log.
inline std::string timelines_key(std::string_view consumer) {
  return "timelines:" + std::string(consumer);
}

/// The keys, in the meta rows, of the forks that a consumer met; the last offset that it knew
/// and the time follow.
inline std::string fork_prefix(std::string_view consumer) {
  return "fork:" + std::string(consumer) + ':';
}

/// The keys of a consumer's dead letters begin with this; the target entity and the offset follow.
inline std::string dead_letter_prefix(std::string_view consumer) {
  return std::string(consumer) + '/';
}

/// The dead letters that an operator discarded keep their row here, so that the audit knows of
/// them.
inline std::string discarded_prefix(std::string_view consumer) {
  return std::string(consumer) + ":discarded/";
}

}  // namespace skanu
