// The policies of a node's services: the saga's table (rules/reactions.hpp) bound to regions.
#pragma once

#include <vector>

#include "actors/consumers/policy.hpp"

namespace skanu {

/// Returns the policies that command the entities of a service, through `region`.
template <class Command>
std::vector<policy_definition> policies_of(service of, const region_actor<Command>& region) {
  std::vector<policy_definition> policies;
  for (const auto& who : consumers::all)
    if (who.of == of)
      policies.push_back({.who = who,
                          .types = types_of(who),
                          .react = [who](const auto& event) { return react(who, event); },
                          .send =
                              [region](const addressed_command& c, command_context r) {
                                caf::anon_send(region, c.id, std::get<Command>(c.command),
                                               std::move(r));
                              }});
  return policies;
}

}  // namespace skanu
