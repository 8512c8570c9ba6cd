// The stream frame of a TraceChanged event.
#pragma once

#include <optional>
#include <string_view>

#include "http/streams/event_ring.hpp"

namespace skanu {

/// Makes a frame of a stored event of the trace view's log, without parsing the whole event. The
/// frame's id contains the offset. The data is the trace as in REST, with the time of the change,
/// its links behind `link_base`. Returns nullopt for any other text.
std::optional<stream_frame> frame_of(log_offset offset, std::string_view body,
                                     const lineage& log = {}, std::string_view link_base = {});

}  // namespace skanu
