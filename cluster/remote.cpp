#include "cluster/remote.hpp"

#include "actors/failures.hpp"
#include "http/waiting_place.hpp"
#include "messages/deadlines.hpp"

namespace skanu {

namespace {

request_terms terms_of(request& r) {
  return {r.operation, r.fingerprint, r.maybe_repeated, std::move(r.condition),
          r.trace ? std::string(r.trace->traceparent()) : std::string()};
}

/// The answer to a command, from whatever came back for it.
outcome outcome_of(answer_body&& answer) {
  if (auto* done = std::get_if<accepted>(&answer)) return std::move(*done);
  if (auto* e = std::get_if<error>(&answer)) return std::move(*e);
  return error{errc::outcome_unknown,
               "Another node gave an answer of the wrong kind: it may or may not have happened."};
}

template <class Body>
outgoing_call command(Body body, request& r) {
  return {std::move(body),
          [answer = std::move(r.answer)](answer_body a) { answer(outcome_of(std::move(a))); },
          r.until};
}

template <class Answer>
Answer ask(const caller_actor& caller, call_body body) {
  const auto place = std::make_shared<waiting_place<answer_body>>();
  caf::anon_send(caller, outgoing_call{std::move(body),
                                       [place](answer_body a) { place->deliver(std::move(a)); }});
  // The caller gives up earlier; this deadline is for a caller that is gone.
  auto answer = place->wait_until(std::chrono::steady_clock::now() + waiting_deadline);
  if (!answer) throw store_error(errc::service_away, "No answer came in time.");
  if (auto* e = std::get_if<error>(&*answer)) throw store_error(e->code, e->detail);
  auto* wanted = std::get_if<Answer>(&*answer);
  if (wanted == nullptr)
    throw store_error(errc::undecodable, "Another node gave an answer of the wrong kind.");
  return std::move(*wanted);
}

class remote_reader final : public reading {
 public:
  explicit remote_reader(caller_actor caller) : caller_(std::move(caller)) {}

  std::optional<std::string> listed_entity(service s, entity_id id) const override {
    return ask<std::optional<std::string>>(caller_, entity_call{s, id});
  }
  stored_page page(service s, const page_query& wanted) const override {
    return ask<stored_page>(caller_, page_call{s, wanted});
  }
  std::optional<stored_page> rows_page(service s, entity_id id, std::string_view prefix,
                                       const page_query& wanted) const override {
    return ask<std::optional<stored_page>>(caller_,
                                           rows_page_call{s, id, std::string(prefix), wanted});
  }

 private:
  caller_actor caller_;
};

}  // namespace

template <class Command>
typename region_actor<Command>::behavior_type remote_region(
    typename region_actor<Command>::pointer self, caller_actor caller) {
  contain_failures(*self);
  return {[=](entity_id id, Command& c, request& r) {
            self->send(caller, command(command_call<Command>{id, std::move(c), terms_of(r)}, r));
          },
          [](const entity_lost&) {}, [](sweep_atom) {}};
}

template order_region_actor::behavior_type remote_region<order_command>(order_region_actor::pointer,
                                                                        caller_actor);
template payment_region_actor::behavior_type remote_region<payment_command>(
    payment_region_actor::pointer, caller_actor);
template delivery_region_actor::behavior_type remote_region<delivery_command>(
    delivery_region_actor::pointer, caller_actor);
template stamp_region_actor::behavior_type remote_region<stamp_command>(stamp_region_actor::pointer,
                                                                        caller_actor);

placement_actor::behavior_type remote_placement(placement_actor::pointer self,
                                                caller_actor caller) {
  contain_failures(*self);
  return {[=](place_order& order, request& r) {
            self->send(caller, command(place_call{std::move(order), terms_of(r)}, r));
          },
          [](const answered&) {}, [](sweep_atom) {}, [](const known_ids&) {},
          [](leave_atom) { return true; }};
}

event_log_actor::behavior_type remote_log(event_log_actor::pointer self, caller_actor caller,
                                          service of) {
  contain_failures(*self);
  const auto followers = std::make_shared<std::vector<follower_actor>>();
  self->set_down_handler([=](const caf::down_msg& down) {
    std::erase_if(*followers, [&](const auto& f) { return f.address() == down.source; });
  });
  self->send(caller, follow_atom::value, of, event_log_actor(self));
  return {[=](pull_atom, log_query& query) {
            return self->delegate(caller, pull_atom::value, of, std::move(query));
          },
          [=](follow_atom, const follower_actor& f) {
            self->monitor(f.address());
            followers->push_back(f);
          },
          [=](hint_atom) {
            for (const auto& f : *followers) self->send(f, hint_atom::value, of);
          }};
}

std::unique_ptr<reading> remote_reading(const caller_actor& caller) {
  return std::make_unique<remote_reader>(caller);
}

circuit_breaker::figures remote_breaker(const caller_actor& caller) {
  return ask<circuit_breaker::figures>(caller, breaker_call{});
}

}  // namespace skanu
