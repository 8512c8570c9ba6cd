#include "actors/housekeeper.hpp"

#include "actors/actor_reply.hpp"
#include "actors/failures.hpp"
#include "actors/operation_record.hpp"

namespace skanu {

namespace {

constexpr std::size_t at_once = 2'000;
constexpr std::chrono::seconds usual_wait{60};
constexpr std::chrono::milliseconds busy_wait{100};

}  // namespace

housekeeper_actor::behavior_type housekeeper(housekeeper_actor::pointer self,
                                             const service_environment* env, service of) {
  contain_failures(*self);
  self->delayed_send(self, busy_wait, sweep_atom::value);
  return {[=](sweep_atom) {
            auto rows = expired_operations(*env->data.read(), of, env->wall_clock(), at_once);
            if (rows.empty()) return self->delayed_send(self, usual_wait, sweep_atom::value);
            pending_commit c{.data = {.of = of}, .owner = std::make_shared<lone_commit_owner>()};
            const bool much = rows.size() >= at_once;
            c.data.rows = std::move(rows);
            c.answer = reply_to(self->address(), much ? 1 : 0);
            c.result = accepted{};
            env->commits.submit(std::move(c));
          },
          [=](const answered& a) {
            const bool much = a.ticket == 1 && std::holds_alternative<accepted>(a.result);
            const std::chrono::milliseconds wait = much ? busy_wait : usual_wait;
            self->delayed_send(self, wait, sweep_atom::value);
          }};
}

}  // namespace skanu
