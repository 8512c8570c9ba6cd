#include "actors/event_log.hpp"

#include <algorithm>

#include "actors/failures.hpp"
#include "persistence/event.hpp"

namespace skanu {

namespace {

struct follower {
  follower_actor to;
  bool hinted = false;  ///< It knows that there is more, and has not pulled since.
};

event_batch read(const store& data, service of, const log_query& query) {
  const auto now = data.read();
  auto stored = now->events(of, query.from, query.limit);
  event_batch batch;
  batch.next = query.from + static_cast<log_offset>(stored.size());
  batch.end = now->log_end(of);
  batch.more = !stored.empty() && batch.next <= batch.end;  // bytes bound it too
  for (auto& e : stored) {
    const auto wanted = e.damaged || query.types.empty() ||
                        std::find(query.types.begin(), query.types.end(), event_type_of(e.body)) !=
                            query.types.end();
    // A damaged one may be of any type. Whoever follows gets it, and sets it aside.
    if (wanted) batch.events.push_back({e.offset, std::move(e.body)});
  }
  return batch;
}

}  // namespace

event_log_actor::behavior_type event_log(event_log_actor::pointer self,
                                         const service_environment* env, service of) {
  auto followers = std::make_shared<std::vector<follower>>();
  contain_failures(*self);
  self->set_down_handler([followers](const caf::down_msg& down) {
    std::erase_if(*followers, [&](const follower& f) { return f.to.address() == down.source; });
  });
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            const auto asker = caf::actor_cast<caf::actor_addr>(self->current_sender());
            for (auto& f : *followers)
              if (f.to.address() == asker) f.hinted = false;
            // A follower asks again; a log that died of it would be silent for ever.
            try {
              return read(env->data, of, query);
            } catch (const store_error& e) {
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

}  // namespace skanu
