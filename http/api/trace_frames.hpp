// What a subscriber to order traces is sent of one TraceChanged.
#pragma once

#include <optional>
#include <string_view>

#include "http/streams/event_ring.hpp"

namespace skanu {

/// Of a stored event of the trace view's log, without parsing it whole: the id has the offset, and
/// the data is the trace as REST shows it, with the time of its change. Nothing for any other text.
std::optional<stream_frame> frame_of(log_offset offset, std::string_view body,
                                     const lineage& log = {});

}  // namespace skanu
