// A right to answer that ends in an actor's mailbox.
#pragma once

#include "messages/interfaces.hpp"

namespace skanu {

/// An answer that reaches `asker` as answered{ticket, …}. Where the asker is gone, it goes nowhere.
inline reply reply_to(caf::actor_addr asker, std::int64_t ticket) {
  class sink final : public reply_sink {
   public:
    sink(caf::actor_addr asker, std::int64_t ticket) : asker_(std::move(asker)), ticket_(ticket) {}
    void deliver(outcome result) noexcept override {
      if (const auto to = caf::actor_cast<caf::actor>(asker_))
        caf::anon_send(to, answered{ticket_, std::move(result)});
    }

   private:
    caf::actor_addr asker_;
    std::int64_t ticket_;
  };
  return reply(std::make_unique<sink>(std::move(asker), ticket));
}

}  // namespace skanu
