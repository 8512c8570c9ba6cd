#include "actors/consumers/event_log.hpp"

#include <functional>
#include <optional>

#include "actors/supervision/failures.hpp"
#include "persistence/log/log_lineage.hpp"

namespace skanu {

namespace {

struct follower {
  follower_actor to;
  bool hinted = false;  ///< Got a hint, and has not pulled since.
};

using fork_listener = std::function<void(const log_query&)>;

event_log_actor::behavior_type log_of(event_log_actor::pointer self, const service_environment* env,
                                      service of, const fork_listener& on_fork) {
  auto followers = std::make_shared<std::vector<follower>>();
  // The timelines change at a start only, before the actor exists.
  auto timelines = std::make_shared<std::optional<lineage>>();
  contain_failures(*self);
  self->set_down_handler([followers](const caf::down_msg& down) {
    std::erase_if(*followers, [&](const follower& f) { return f.to.address() == down.source; });
  });
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            const auto asker = caf::actor_cast<caf::actor_addr>(self->current_sender());
            for (auto& f : *followers)
              if (f.to.address() == asker) f.hinted = false;
            // A follower asks again after an error; a log ended by an exception would be silent for
            // ever.
            try {
              const auto now = env->data.read();
              if (!*timelines) *timelines = stored_lineage(*now, of);
              auto batch = read_log(*now, of, **timelines, query);
              if (batch.forked && on_fork) on_fork(query);
              return batch;
            } catch (const store_error& e) {
              return caf::make_error(caf::sec::runtime_error, e.what());
            } catch (const decode_error& e) {
              return caf::make_error(caf::sec::runtime_error, e.what());
            }
          },
          [=](follow_atom, const follower_actor& f) {
            self->monitor(f.address());
            followers->push_back({f});
          },
          [=](hint_atom) {
            for (auto& f : *followers)
              if (!std::exchange(f.hinted, true)) self->send(f.to, hint_atom::value, of);
          }};
}

}  // namespace

event_log_actor::behavior_type event_log(event_log_actor::pointer self,
                                         const service_environment* env, service of) {
  return log_of(self, env, of, {});
}

event_log_actor::behavior_type order_log(event_log_actor::pointer self,
                                         const service_environment* env,
                                         const checkout_actor& checkout) {
  return log_of(self, env, service::order, [self, checkout](const log_query& reader) {
    // The reader's other timelines are unknown here; the hello of the reader's node tells all.
    self->send(checkout, known_ids{{}, {.offset = reader.from - 1, .timeline = reader.timeline}});
  });
}

}  // namespace skanu
