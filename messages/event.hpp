// How an event is stored: one JSON object whose first member is its type, so that a reader can pass
// over the events it does not want without parsing them.
//
//   {"eventType":"Paid","schema":1,"timestamp":"…","version":2,…fields}
//
// Behind the version stands the traceparent of the client's request, where it had one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "messages/fields.hpp"
#include "messages/trace_context.hpp"
#include "messages/values.hpp"

namespace skanu {

/// What stands around every event's own fields.
struct event_header {
  std::string type;
  instant at;
  version_number version = 0;  ///< The entity's version that this event made.
};

/// The type of a stored event, without parsing it; empty where it has none.
std::string_view event_type_of(std::string_view body);

/// The time of a stored event as its text has it, without parsing it; empty where it has none.
std::string_view timestamp_of(std::string_view body);

/// The trace that a stored event belongs to, without parsing it.
std::optional<trace_context> trace_of(std::string_view body);

/// The event with its place in front, as it stands in an order's history and as `skanu events`
/// prints it:
/// {"service":"payment","offset":7,"eventType":…}. `body` is a JSON object with a member at least.
std::string located_event(service of, log_offset offset, std::string_view body);

/// Where a located event stands; nothing for any other text. Reads no more than its front.
struct event_place {
  std::string_view of;  ///< The service's name, a view into the text.
  log_offset offset = 0;
};
std::optional<event_place> place_of(std::string_view located);

/// Reads the header of a parsed event. Throws decode_error.
event_header header_of(const nlohmann::json& event);

/// The stored form of one event of a variant.
template <class... Events>
std::string encode_event(const std::variant<Events...>& event, version_number version,
                         std::string_view timestamp,
                         const std::optional<trace_context>& trace = std::nullopt) {
  return std::visit(
      [&]<class E>(const E& e) {
        std::string out;
        out.reserve(320);
        json_object_writer writer(out);
        writer("eventType", E::event_type);
        writer("schema", 1);
        writer("timestamp", timestamp);
        writer("version", version);
        if (trace) writer("traceparent", trace->traceparent());
        visit_fields(e, writer);
        writer.close();
        return out;
      },
      event);
}

/// The event of a parsed body. Throws decode_error for a type that the variant does not have.
template <class Variant>
Variant decode_event(const nlohmann::json& body) {
  const auto header = header_of(body);
  std::optional<Variant> found;
  const auto try_one = [&]<class E>() {
    if (E::event_type == header.type) found = from_json<E>(body);
  };
  [&]<class... Es>(std::variant<Es...>*) {
    (try_one.template operator()<Es>(), ...);
  }(static_cast<Variant*>(nullptr));
  if (!found) throw decode_error("an event of unknown type " + header.type);
  return std::move(*found);
}

}  // namespace skanu
