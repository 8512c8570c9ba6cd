// Rights to answer by a message to an actor.
#pragma once

#include <caf/all.hpp>

#include "messages/reply.hpp"

namespace skanu {

/// Returns a right to answer: sends `note` to `asker`, with the outcome in `note.result`. The
/// answer to an ended actor is dropped.
template <class Note>
reply reply_to(caf::actor_addr asker, Note note) {
  return reply_through(
      [asker = std::move(asker), note = std::move(note)](outcome&& result) mutable {
        if (const auto to = caf::actor_cast<caf::actor>(asker)) {
          note.result = std::move(result);
          caf::anon_send(to, std::move(note));
        }
      });
}

}  // namespace skanu
