// The interfaces of the actors, as others use them. START READING HERE.
//
// A command goes to the region of a service, and from there to the entity named. On the hot path no
// actor uses CAF's request/response: the right to answer (reply.hpp) travels inside the command's
// context, through the entity and its commit, and the journal answers once the commit is durable.
// Slower exchanges (pulling a log) use CAF's requests.
//
// An actor extends its interface, in its own header, with the messages for itself alone: awaited
// answers, and timers.
#pragma once

#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <caf/all.hpp>

#include "messages/dead_letter.hpp"
#include "messages/entity_commands.hpp"
#include "messages/log.hpp"
#include "messages/reply.hpp"

namespace skanu {

/// Another node's knowledge of orders.
struct known_ids {
  std::string by;  ///< Name of the node; empty for an unnamed reader of the order service's log.
  order_knowledge what = {};
};

using pull_atom = caf::atom_constant<caf::atom("pull")>;
using hint_atom = caf::atom_constant<caf::atom("hint")>;
using watch_atom = caf::atom_constant<caf::atom("watch")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;
using follow_atom = caf::atom_constant<caf::atom("follow")>;
using sweep_atom = caf::atom_constant<caf::atom("sweep")>;
using resume_atom = caf::atom_constant<caf::atom("resume")>;

}  // namespace skanu

// Messages with a right to answer, or with an answer within the process: never sent to another
// process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::command_context)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::place_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::order_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::payment_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::delivery_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::stamp_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::event_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::log_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::known_ids)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::dead_letter_command)

namespace skanu {

/// An order, a payment, a delivery or a stamp account.
template <class Command>
using entity_actor = caf::typed_actor<
    // Decides, and answers through the context once the result is durable.
    caf::reacts_to<Command, command_context>>;

/// The entities of a service: loads an entity for a command, and passivates an idle entity.
template <class Command>
using region_actor = caf::typed_actor<
    // Hands the command to the entity, or refuses if too many commands wait for the entity.
    caf::reacts_to<entity_id, Command, command_context>>;

using order_region_actor = region_actor<order_command>;
using payment_region_actor = region_actor<payment_command>;
using delivery_region_actor = region_actor<delivery_command>;
using stamp_region_actor = region_actor<stamp_command>;

/// The regions of all entity types, by the type of command. A null handle stands for entities out
/// of reach. Several shards of a service take the place of a region behind a router, which has a
/// region's interface.
template <class Commands = any_command>
class regions_of;

template <class... Command>
class regions_of<std::variant<Command...>> {
 public:
  template <class C>
  region_actor<C>& of() {
    return std::get<region_actor<C>>(all_);
  }
  template <class C>
  const region_actor<C>& of() const {
    return std::get<region_actor<C>>(all_);
  }

 private:
  std::tuple<region_actor<Command>...> all_;
};

using regions = regions_of<>;

/// Receives hints about the growth of a log.
using follower_actor = caf::typed_actor<
    // The log has grown. Sent once until the follower pulls again.
    caf::reacts_to<hint_atom, service>>;

/// A policy or a view: processes logs from durable positions of its own.
using consumer_actor = follower_actor::extend<
    // Carries out or discards a dead letter; answers once the result is durable.
    caf::reacts_to<dead_letter_command, command_context>>;

/// Hands an operator's command to the consumer of the dead letter.
using dead_letter_router_actor =
    caf::typed_actor<caf::reacts_to<dead_letter_command, command_context>>;

/// A service's event log, for readers.
using event_log_actor = caf::typed_actor<
    // Answers with durable events from an offset on.
    caf::replies_to<pull_atom, log_query>::with<event_batch>,
    // Sends hints to the follower from now on.
    caf::reacts_to<follow_atom, follower_actor>,
    // From the journal: the log has grown.
    caf::reacts_to<hint_atom>>;

/// The saga that places orders: opens the payment, then records or rejects the order.
using checkout_actor = caf::typed_actor<
    // Places an order; answers with the order or an error.
    caf::reacts_to<place_order, command_context>,
    // From the membership, before the first call to a peer: the ids known to the peer. From the
    // order service's log: the position of a reader whose last event the log lacks.
    caf::reacts_to<known_ids>,
    // The node leaves: returns the unused ids, and answers once the return is durable.
    caf::replies_to<leave_atom>::with<bool>>;

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::service)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::follower_actor)
