#include "http/api/trace_frames.hpp"

#include "actors/rules/trace_rules.hpp"
#include "http/api/resource_collections.hpp"
#include "messages/event.hpp"

namespace skanu {

namespace {

/// Returns the text after `key`, up to the next quote. A user's text cannot contain `key`, since
/// its quotes are escaped.
std::string_view word_behind(std::string_view key, std::string_view body) {
  const auto found = body.find(key);
  if (found == body.npos) return {};
  body.remove_prefix(found + key.size());
  return body.substr(0, body.find('"'));
}

}  // namespace

std::optional<stream_frame> frame_of(log_offset offset, std::string_view body, const lineage& log,
                                     std::string_view link_base) {
  if (event_type_of(body) != trace_changed::event_type || !body.ends_with('}')) return std::nullopt;
  const auto id = order_of(body);
  const auto status = value_of_word<trace_status>(word_behind(R"("status":")", body));
  const auto time = timestamp_of(body);
  if (id <= 0 || !status || time.empty()) return std::nullopt;
  const auto fields = body.substr(body.find(R"(,"id":)") + 1);
  std::string data = "{";
  data.append(fields.substr(0, fields.size() - 1));
  data.append(R"(,"timestamp":")").append(time).append("\"}");
  stream_frame frame{offset, id, static_cast<std::uint8_t>(*status), "id: "};
  frame.text += event_id(offset, log);
  frame.text += "\nevent: trace\ndata: ";
  frame.text += trace_collection.item(id, data, link_base);
  frame.text += "\n\n";
  return frame;
}

}  // namespace skanu
