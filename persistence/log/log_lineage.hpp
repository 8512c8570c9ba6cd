// The timelines of a service's log, in the service's own store.
#pragma once

#include <string_view>

#include "messages/log.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The meta key of a log's timelines.
inline constexpr std::string_view log_timelines_key = "log.timelines";

/// Returns the timelines in a meta row of a service: the log's own, or those of the log followed by
/// a consumer. Throws store_error, and decode_error with the row's name for damage.
lineage stored_lineage(const snapshot& from, service of, std::string_view key = log_timelines_key);

/// Returns the row that begins a timeline behind the log's last event. The new timeline replaces a
/// timeline without events. Events of a log without timelines get a timeline first.
row_write begin_timeline(const snapshot& from, service of);

/// Returns 16 random hexadecimal digits.
std::string random_identity();

/// Returns a part of a log and the reader's part of the timelines; the answer of the log's actor.
event_batch read_log(const snapshot& from, service of, const lineage& timelines,
                     const log_query& query);

}  // namespace skanu
