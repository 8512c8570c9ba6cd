// How a state is stored: one JSON document with its type, schema and version in front.
//
//   {"type":"payment","schema":1,"version":2,"internal":{…},"data":{…}}
//
// `data` is what the REST API shows, byte for byte, so that a read copies it and parses nothing.
#pragma once

#include <string>
#include <string_view>

#include "messages/fields.hpp"
#include "messages/values.hpp"

namespace skanu {

/// The schema number this program writes. It reads 1 to this.
inline constexpr int document_schema = 1;

/// The parts of a stored document, found without parsing it; views into the document.
struct document_parts {
  version_number version = 0;
  std::string_view data;
};

/// Throws decode_error where the front of the document is not as encode_document writes it.
document_parts parts_of(std::string_view document);

/// The document of a state. `State` lists its fields, and perhaps internal_fields.
template <class State>
std::string encode_document(service type, version_number version, const State& state) {
  std::string out;
  out.reserve(320);
  out += R"({"type":")";
  out += name_of(type);
  out += R"(","schema":)";
  append_integer(out, document_schema);
  out += R"(,"version":)";
  append_integer(out, version);
  if constexpr (requires(json_object_writer & w) { State::internal_fields(state, w); }) {
    out += R"(,"internal":)";
    json_object_writer internal(out);
    State::internal_fields(state, internal);
    internal.close();
  }
  out += R"(,"data":)";
  append_json(out, state);
  out += '}';
  return out;
}

/// The state of a document. Throws decode_error, also for a schema of the future.
template <class State>
State decode_document(std::string_view document) {
  const auto json = parse_stored_json(document);
  int schema = 0;
  json_object_reader front(json);
  front("schema", schema);
  if (schema < 1 || schema > document_schema) throw decode_error("a document of an unknown schema");
  State state;
  if constexpr (requires(json_object_reader & r) { State::internal_fields(state, r); }) {
    if (const auto internal = json.find("internal"); internal != json.end()) {
      json_object_reader reader(*internal);
      State::internal_fields(state, reader);
    }
  }
  const auto data = json.find("data");
  if (data == json.end()) throw decode_error("a document without data");
  json_object_reader reader(*data);
  visit_fields(state, reader);
  return state;
}

}  // namespace skanu
