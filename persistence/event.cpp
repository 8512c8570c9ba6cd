#include "persistence/event.hpp"

namespace skanu {

std::string_view event_type_of(std::string_view body) {
  constexpr std::string_view front = R"({"eventType":")";
  if (!body.starts_with(front)) return {};
  body.remove_prefix(front.size());
  return body.substr(0, body.find('"'));
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
