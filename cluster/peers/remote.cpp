#include "cluster/peers/remote.hpp"

#include "actors/supervision/failures.hpp"
#include "http/server/oneshot.hpp"
#include "messages/deadlines.hpp"

namespace skanu {

namespace {

template <class Answer>
Answer ask(const rpc_client_actor& rpc_client, call_body body) {
  const auto place = std::make_shared<oneshot<answer_body>>();
  caf::anon_send(rpc_client, outgoing_call{std::move(body), [place](answer_body a) {
                                             place->deliver(std::move(a));
                                           }});
  // The rpc_client gives up earlier; this deadline is for a rpc_client that is gone.
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
  explicit remote_reader(rpc_client_actor rpc_client) : rpc_client_(std::move(rpc_client)) {}

  std::optional<std::string> listed_entity(service s, entity_id id) const override {
    return ask<std::optional<std::string>>(rpc_client_, entity_call{s, id});
  }
  stored_page page(service s, const page_query& wanted) const override {
    return ask<stored_page>(rpc_client_, page_call{s, wanted});
  }
  std::optional<stored_page> rows_page(service s, entity_id id, std::string_view prefix,
                                       const page_query& wanted) const override {
    return ask<std::optional<stored_page>>(rpc_client_,
                                           rows_page_call{s, id, std::string(prefix), wanted});
  }

 private:
  rpc_client_actor rpc_client_;
};

}  // namespace

outcome outcome_of(answer_body&& answer) {
  if (auto* done = std::get_if<accepted>(&answer)) return std::move(*done);
  if (auto* e = std::get_if<error>(&answer)) return std::move(*e);
  return error{errc::outcome_unknown,
               "Another node gave an answer of the wrong kind: it may or may not have happened."};
}

checkout_actor::behavior_type remote_checkout(checkout_actor::pointer self,
                                              const rpc_client_actor& rpc_client) {
  contain_failures(*self);
  return {[=](place_order& order, command_context& r) {
            self->send(rpc_client, outgoing(place_call{std::move(order), std::move(r)}));
          },
          [](const known_ids&) {}, [](leave_atom) { return true; }};
}

event_log_actor::behavior_type remote_log(event_log_actor::pointer self,
                                          const rpc_client_actor& rpc_client, service of) {
  contain_failures(*self);
  const auto followers = std::make_shared<std::vector<follower_actor>>();
  self->set_down_handler([=](const caf::down_msg& down) {
    std::erase_if(*followers, [&](const auto& f) { return f.address() == down.source; });
  });
  self->send(rpc_client, follow_atom::value, of, event_log_actor(self));
  return {[=](pull_atom, log_query& query) {
            return self->delegate(rpc_client, pull_atom::value, of, std::move(query));
          },
          [=](follow_atom, const follower_actor& f) {
            self->monitor(f.address());
            followers->push_back(f);
          },
          [=](hint_atom) {
            for (const auto& f : *followers) self->send(f, hint_atom::value, of);
          }};
}

std::unique_ptr<reading> remote_reading(const rpc_client_actor& rpc_client) {
  return std::make_unique<remote_reader>(rpc_client);
}

circuit_breaker::figures remote_breaker(const rpc_client_actor& rpc_client) {
  return ask<circuit_breaker::figures>(rpc_client, breaker_call{});
}

}  // namespace skanu
