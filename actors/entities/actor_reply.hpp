// A right to answer that ends in an actor's mailbox.
#pragma once

#include <caf/all.hpp>

#include "messages/reply.hpp"

namespace skanu {

/// The right to answer that reaches `asker` as the message `note`, with the outcome in its
/// `result`. Where the asker is gone, the answer goes nowhere.
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
