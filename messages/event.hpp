// The stored form of an event: a JSON object whose first member is the type, so that a reader can
// skip unwanted events without parsing.
//
//   {"eventType":"Paid","schema":1,"timestamp":"…","version":2,…fields}
//
// Behind the version stands the traceparent of the client's request, if any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "messages/fields.hpp"
#include "messages/trace_context.hpp"
#include "messages/values.hpp"

namespace skanu {

/// The members around every event's own fields.
struct event_header {
  std::string type;
  instant at;
  version_number version = 0;  ///< The entity's version after the event.
};

/// Returns the type of a stored event without parsing; empty without a type.
std::string_view event_type_of(std::string_view body);

/// Returns the time of a stored event as text, without parsing; empty without a time.
std::string_view timestamp_of(std::string_view body);

/// Returns the trace of a stored event without parsing; nullopt without a trace.
std::optional<trace_context> trace_of(std::string_view body);

/// Puts the service and the offset in front of an event, for an order's history and `skanu events`:
/// {"service":"payment","offset":7,"eventType":…}
/// `body` must be a JSON object with at least a member.
std::string located_event(service of, log_offset offset, std::string_view body);

/// Service and offset of a located event.
struct event_place {
  std::string_view of;  ///< The service's name, a view into the text.
  log_offset offset = 0;
};
/// Reads only the front of the text; nullopt for any other text.
std::optional<event_place> place_of(std::string_view located);

/// Reads the header of a parsed event. Throws decode_error.
event_header header_of(const nlohmann::json& event);

/// Returns the stored form of an event.
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

/// Returns the event of a parsed body. Throws decode_error for a type unknown to the variant.
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
