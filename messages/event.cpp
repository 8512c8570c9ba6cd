#include "messages/event.hpp"

#include <charconv>

namespace skanu {

std::string_view event_type_of(std::string_view body) {
  constexpr std::string_view front = R"({"eventType":")";
  if (!body.starts_with(front)) return {};
  body.remove_prefix(front.size());
  return body.substr(0, body.find('"'));
}

std::string_view timestamp_of(std::string_view body) {
  constexpr std::string_view key = R"("timestamp":")";
  const auto found = body.find(key);
  if (found == body.npos) return {};
  body.remove_prefix(found + key.size());
  return body.substr(0, body.find('"'));
}

std::optional<trace_context> trace_of(std::string_view body) {
  // The header is short, and quotes in a user's text are escaped.
  constexpr std::string_view member = R"(,"traceparent":")";
  constexpr std::size_t longest_header = 256;
  const auto found = body.substr(0, longest_header).find(member);
  if (found == body.npos) return std::nullopt;
  return trace_context_of(body.substr(found + member.size(), trace_context::length));
}

std::string located_event(service of, log_offset offset, std::string_view body) {
  std::string line = R"({"service":")";
  line.reserve(body.size() + 48);
  line += name_of(of);
  line += R"(","offset":)";
  append_integer(line, offset);
  line += ',';
  line += body.substr(1);
  return line;
}

std::optional<event_place> place_of(std::string_view located) {
  constexpr std::string_view front = R"({"service":")", middle = R"(","offset":)";
  if (!located.starts_with(front)) return std::nullopt;
  located.remove_prefix(front.size());
  const auto name_end = located.find(middle);
  if (name_end == located.npos) return std::nullopt;
  event_place place{located.substr(0, name_end)};
  located.remove_prefix(name_end + middle.size());
  const auto* end = located.data() + located.size();
  const auto read = std::from_chars(located.data(), end, place.offset);
  if (read.ec != std::errc{} || read.ptr == end || *read.ptr != ',') return std::nullopt;
  return place;
}

event_header header_of(const nlohmann::json& event) {
  if (!event.is_object()) throw decode_error("an event that is not an object");
  if (const auto schema = event.find("schema");
      schema == event.end() || !schema->is_number_integer() || schema->get<int>() != 1)
    throw decode_error("an event of an unknown schema");
  event_header header;
  std::string timestamp;
  json_object_reader reader(event);
  reader("eventType", header.type);
  reader("timestamp", timestamp);
  reader("version", header.version);
  const auto at = from_rfc3339(timestamp);
  if (!at) throw decode_error("an event without a timestamp");
  header.at = *at;
  return header;
}

}  // namespace skanu
