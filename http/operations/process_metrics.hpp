// Figures of the process itself, by the names of Prometheus' client libraries.
#pragma once

#include "http/format/metrics_text.hpp"
#include "messages/values.hpp"

namespace skanu {

/// Renders process_…: processor time, memory, open files and start. Figures that the system does
/// not tell are left out.
void render_process(metrics_text& out, instant started);

}  // namespace skanu
