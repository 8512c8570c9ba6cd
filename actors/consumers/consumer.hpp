// Messages and limits shared by all consumers of logs.
#pragma once

#include <chrono>
#include <string>

#include "actors/consumers/log_reader.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct consumer_limits : log_reader_limits {
  std::chrono::milliseconds pull_timeout{5'000};
  int attempts = 5;  ///< Tries of an undecidable event, before the dead letter.
};

using letter_atom = caf::atom_constant<caf::atom("letter")>;

/// The rows of a turn or of an errand are stored, or not.
struct rows_stored {
  outcome result = {};
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::rows_stored)

namespace skanu {

/// A consumer's messages, with the messages of the journal and the timers.
using consumer_interface = consumer_actor::extend<
    // From the journal: the answer to a commit.
    caf::reacts_to<rows_stored>,
    // Timer: goes on reading.
    caf::reacts_to<resume_atom>,
    // Timer: goes on with the entity's letters behind the settled letter.
    caf::reacts_to<letter_atom, entity_id>>;

}  // namespace skanu
