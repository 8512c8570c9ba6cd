// The saga's table maps a service's events to commands for another service's entities. Pure:
// policies send the commands, and the random saga tests carry out each command at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/rules/consumers.hpp"
#include "messages/entity_commands.hpp"

namespace skanu {

/// A command and the target entity; the command's type tells the service.
struct addressed_command {
  entity_id id = 0;
  any_command command;
};

/// Returns the types of a consumer's events; empty for the trace view, the follower of all events.
std::vector<std::string> types_of(const consumer& who);

/// Returns a consumer's command after a parsed event; nullopt for an event of no concern. Throws
/// decode_error.
std::optional<addressed_command> react(const consumer& who, const nlohmann::json& event);

}  // namespace skanu
