// The way from decided events to a commit, the same for every kind of entity.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/event.hpp"
#include "messages/trace_context.hpp"
#include "persistence/document.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// An entity's state with the version; version 0: no events yet.
template <class Rules>
struct versioned_state {
  typename Rules::state state = {};
  version_number version = 0;
};

/// Reads a stored document; no document gives version 0. Throws decode_error.
template <class Rules>
versioned_state<Rules> decode_versioned(const std::optional<std::string>& document) {
  if (!document) return {};
  return {decode_document<typename Rules::state>(*document), parts_of(*document).version};
}

/// Applies the events to the entity, and adds the events, the change and the rows to a commit of
/// the entity's service.
template <class Rules>
void add_events(commit& to, entity_id id, versioned_state<Rules>& entity,
                const std::vector<typename Rules::event>& events, instant now,
                const std::optional<trace_context>& trace = std::nullopt) {
  auto& state = entity.state;
  auto& version = entity.version;
  entity_change change;
  change.id = id;
  change.expected = version;
  change.status_before = Rules::status(state);
  change.listed_before = Rules::listed(state);
  const auto timestamp = to_rfc3339(now);
  for (const auto& e : events) {
    Rules::apply(state, e);
    if constexpr (requires { Rules::note_time(state, e, now); }) Rules::note_time(state, e, now);
    to.events.push_back(encode_event(e, ++version, timestamp, trace));
    if constexpr (requires { Rules::rows(id, e, version, timestamp); }) {
      for (auto& row : Rules::rows(id, e, version, timestamp)) to.rows.push_back(std::move(row));
    }
  }
  change.next = version;
  change.document = std::make_shared<const std::string>(encode_document(Rules::of, version, state));
  change.status = Rules::status(state);
  change.listed = Rules::listed(state);
  to.changes.push_back(std::move(change));
}

}  // namespace skanu
