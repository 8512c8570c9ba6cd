// The saga's table: which event of one service calls for which command to an entity of another.
// Pure: policies send the commands, and the random saga tests carry them out at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/rules/consumers.hpp"
#include "messages/entity_commands.hpp"

namespace skanu {

/// A command and the entity to which the command goes; the type tells the service.
struct addressed_command {
  entity_id id = 0;
  any_command command;
};

/// The event types to which a consumer reacts; empty for the trace view, which shows all events.
std::vector<std::string> types_of(const consumer& who);

/// The command for which a parsed event calls. Nothing where the event does not concern the
/// consumer. Throws decode_error.
std::optional<addressed_command> react(const consumer& who, const nlohmann::json& event);

}  // namespace skanu
