// The timelines of a service's log, as its own store keeps them.
#pragma once

#include <string_view>

#include "messages/log.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The meta row of a service that holds its log's timelines.
inline constexpr std::string_view log_timelines_key = "log.timelines";

/// The timelines in a meta row of a service: its log's own, or those under which a consumer has
/// read another one. Throws store_error, and decode_error, which names the row, for a damaged one.
lineage stored_lineage(const snapshot& from, service of, std::string_view key = log_timelines_key);

/// The row that begins a timeline behind the log's last event. A timeline without an event gives
/// way to it. Events of a log without timelines get one of their own.
row_write begin_timeline(const snapshot& from, service of);

/// 16 random hexadecimal digits.
std::string random_identity();

/// Part of a log, and what its asker has to know of its timelines, as the log's actor answers.
event_batch read_log(const snapshot& from, service of, const lineage& timelines,
                     const log_query& query);

}  // namespace skanu
