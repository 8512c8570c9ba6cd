#include "actors/entities/housekeeper.hpp"

#include "actors/entities/actor_reply.hpp"
#include "actors/supervision/failures.hpp"
#include "persistence/operation_record.hpp"

namespace skanu {

namespace {

constexpr std::size_t at_once = 2'000;
constexpr std::chrono::seconds usual_wait{60};
constexpr std::chrono::milliseconds busy_wait{100};

/// Decides whose operations may expire: within forgetting_pause of a jump, the wall clock is not
/// believed.
class clock_doubt {
 public:
  /// Notes both times: a change of the offset by over 5 s is a jump of the wall clock.
  void look(std::chrono::steady_clock::time_point steady, instant wall) {
    constexpr std::chrono::seconds jump{5};
    const auto offset = wall.time_since_epoch() - steady.time_since_epoch();
    if (!began_) began_ = steady;
    if (began_ < steady && std::chrono::abs(offset - offset_) > jump) jumped_ = steady;
    offset_ = offset;
    now_ = steady;
  }
  bool clients() const { return !jumped_ || now_ - *jumped_ >= forgetting_pause; }
  bool gateways() const { return clients() && now_ - *began_ >= forgetting_pause; }

 private:
  std::optional<std::chrono::steady_clock::time_point> began_, jumped_;
  std::chrono::steady_clock::time_point now_;
  std::chrono::nanoseconds offset_{};
};

}  // namespace

housekeeper_actor::behavior_type housekeeper(housekeeper_actor::pointer self,
                                             const service_environment* env, service of) {
  contain_failures(*self);
  const auto doubt = std::make_shared<clock_doubt>();
  self->delayed_send(self, busy_wait, sweep_atom::value);
  return {[=](sweep_atom) {
            const auto wall = env->wall_clock();
            doubt->look(self->clock().now(), wall);
            std::vector<row_write> rows;
            if (doubt->clients()) rows = expired_operations(*env->data.read(), of, wall, at_once);
            if (doubt->gateways())
              for (auto& r : expired_gateway_operations(*env->data.read(), of, wall, at_once))
                rows.push_back(std::move(r));
            if (rows.empty()) return self->delayed_send(self, usual_wait, sweep_atom::value);
            pending_commit c{.data = {.of = of}, .owner = std::make_shared<lone_commit_owner>()};
            c.answer =
                reply_to(self->address(), operations_forgotten{.more = rows.size() >= at_once});
            c.data.rows = std::move(rows);
            c.result = accepted{};
            env->commits.submit(std::move(c));
          },
          [=](const operations_forgotten& f) {
            const bool busy = f.more && std::holds_alternative<accepted>(f.result);
            const std::chrono::milliseconds wait = busy ? busy_wait : usual_wait;
            self->delayed_send(self, wait, sweep_atom::value);
          }};
}

}  // namespace skanu
