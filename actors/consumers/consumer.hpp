// The messages and limits that every consumer of logs shares.
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

/// A consumer as its journal and its timers see it.
using consumer_interface = consumer_actor::extend<
    // From the journal: the answer to its commit.
    caf::reacts_to<rows_stored>,
    // From itself: go on reading.
    caf::reacts_to<resume_atom>,
    // From itself: go on with the letters of this entity behind the settled letter.
    caf::reacts_to<letter_atom, entity_id>>;

/// Reads an event again that was damaged when a consumer set it aside: its log may have been
/// restored since. Calls `then` with the event, empty while it is damaged, or `otherwise` with an
/// error if the log cannot be read.
template <class Consumer, class Then, class Otherwise>
void read_event_again(Consumer& self, const event_log_actor& log, log_offset at,
                      const consumer_limits& limits, Then then, Otherwise otherwise) {
  self.request(log, limits.pull_timeout, pull_atom::value, log_query{at, 1, {}})
      .then(
          [then](const event_batch& batch) {
            then(batch.events.empty() ? std::string() : batch.events.front().body);
          },
          [otherwise](const caf::error&) {
            otherwise(error{errc::service_away, "The log cannot be read at present."});
          });
}

}  // namespace skanu
