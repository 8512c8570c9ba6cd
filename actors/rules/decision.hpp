// A rule answers a command with a decision: events or a refusal.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "messages/errors.hpp"

namespace skanu {

/// Events to record (none: a successful no-op), or a refusal.
template <class Event>
struct decision {
  std::vector<Event> events = {};
  std::optional<error> refusal = std::nullopt;

  static decision nothing() { return {}; }
  static decision of(Event event) {
    decision d;
    d.events.push_back(std::move(event));
    return d;
  }
  static decision refuse(errc code, std::string detail, std::vector<field_error> fields = {}) {
    decision d;
    d.refusal = error{code, std::move(detail), std::move(fields)};
    return d;
  }
};

/// The context of a decision beside the state, for rules without such a context.
struct no_context {};

/// Chooses the overload for a variant's alternative.
template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

}  // namespace skanu
