// The interfaces of the actors, as others use them. START READING HERE.
//
// A command goes to the region of its service, which hands the command to the entity it names. No
// actor is asked for an answer by CAF's request/response on the hot path: the right to answer
// (reply.hpp) travels inside the request, through the entity and its commit, and the journal
// answers once the commit is durable. The long way round (pulling a log) is an ordinary request.
//
// An actor extends its interface, in its own header, with what only itself and its helpers say to
// it: answers that it waits for, and its timers.
#pragma once

#include <string>
#include <vector>

#include <caf/all.hpp>

#include "messages/dead_letter.hpp"
#include "messages/delivery.hpp"
#include "messages/log.hpp"
#include "messages/order.hpp"
#include "messages/payment.hpp"
#include "messages/reply.hpp"
#include "messages/stamp.hpp"

namespace skanu {

/// What another node knows of orders.
struct known_ids {
  std::string by;  ///< The node's name.
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

// These hold the right to answer, or are answered within the process: they never leave it as they
// are.
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

/// One order, payment, delivery or stamp account.
template <class Command>
using entity_actor = caf::typed_actor<
    // Decides, and answers through the request once what it speaks of is durable.
    caf::reacts_to<Command, command_context>>;

/// The entities of one service: wakes them when they are addressed, lets them sleep when they are
/// not.
template <class Command>
using region_actor = caf::typed_actor<
    // Hands the command to the entity, or refuses it where the entity has too much waiting.
    caf::reacts_to<entity_id, Command, command_context>>;

using order_region_actor = region_actor<order_command>;
using payment_region_actor = region_actor<payment_command>;
using delivery_region_actor = region_actor<delivery_command>;
using stamp_region_actor = region_actor<stamp_command>;

/// Whoever wants to know that a log has grown.
using follower_actor = caf::typed_actor<
    // There is more than you have seen. Sent once until the follower pulls again.
    caf::reacts_to<hint_atom, service>>;

/// A policy or a view: works off logs from its own durable positions.
using consumer_actor = follower_actor::extend<
    // Carries a dead letter out after all, or discards it; the answer is durable.
    caf::reacts_to<dead_letter_command, command_context>>;

/// Hands an operator's order to the consumer that set the event aside.
using dead_letter_router_actor =
    caf::typed_actor<caf::reacts_to<dead_letter_command, command_context>>;

/// A service's event log as others may read it.
using event_log_actor = caf::typed_actor<
    // Answers with what is durable from an offset on.
    caf::replies_to<pull_atom, log_query>::with<event_batch>,
    // From now on, hint to this follower.
    caf::reacts_to<follow_atom, follower_actor>,
    // From the journal: the log has grown.
    caf::reacts_to<hint_atom>>;

/// The saga that places orders: opens the payment, then records or rejects the order.
using checkout_actor = caf::typed_actor<
    // Places an order; the answer is the order, or why not.
    caf::reacts_to<place_order, command_context>,
    // From a link, before that node is asked for anything: the ids that it knows.
    caf::reacts_to<known_ids>,
    // The node leaves: gives back the ids that it will not hand out, and answers when that is
    // durable.
    caf::replies_to<leave_atom>::with<bool>>;

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::service)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::follower_actor)
