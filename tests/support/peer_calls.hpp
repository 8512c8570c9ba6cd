// Calls between nodes for tests of the nodes' actors: the calls, the answers, and words for both.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "cluster/peers/rpc_client.hpp"
#include "cluster/peers/rpc_server.hpp"
#include "tests/support/actor_fixture.hpp"

namespace skanu {

/// The word of an error, or of the kind of an answer.
inline std::string word_for(const answer_body& answer) {
  if (const auto* e = std::get_if<error>(&answer)) return std::string(name_of(e->code));
  constexpr std::array<const char*, 7> kinds = {"error", "accepted",  "events", "document",
                                                "page",  "rows page", "breaker"};
  return kinds.at(answer.index());
}

/// All answers to one call; a second answer shows in word().
class called {
 public:
  outgoing_call call(call_body body) const {
    return {std::move(body), [to = answers_](answer_body a) { to->push_back(std::move(a)); }};
  }

  std::string word() const {
    if (answers_->empty()) return "waiting";
    return (answers_->size() > 1 ? "answered twice, first " : "") + word_for(answers_->front());
  }
  const answer_body& answer() const { return answers_->at(0); }

 private:
  std::shared_ptr<std::deque<answer_body>> answers_ = std::make_shared<std::deque<answer_body>>();
};

inline std::ostream& operator<<(std::ostream& out, const called& c) { return out << c.word(); }

/// A call received by the peer.
struct received_call {
  call_number number = 0;
  call_body body;

  /// The call's entity; 0 for calls without an entity.
  entity_id id() const {
    return std::visit(
        [](const auto& c) -> entity_id {
          if constexpr (requires { c.id; }) return c.id;
          return 0;
        },
        body);
  }
  /// True for a change marked as possibly carried out before.
  bool repeated() const {
    return std::visit(
        [](const auto& c) {
          if constexpr (requires { c.with; }) return c.with.maybe_repeated;
          return false;
        },
        body);
  }
};

/// A peer's rpc_server, answering on the test's order.
inline remote_server_actor::behavior_type scripted_servant(remote_server_actor::pointer,
                                                           std::vector<received_call>* calls) {
  return {[=](call_atom, call_number number, const std::string& bytes) {
    calls->push_back({number, decode_call(bytes)});
  }};
}

/// A peer's rpc_client, keeping all received messages.
struct received_answers {
  std::vector<std::pair<call_number, answer_body>> answers;
  std::vector<std::uint8_t> grown;

  std::string words() const {
    std::string all;
    for (const auto& [number, a] : answers)
      all += (all.empty() ? "" : ", ") + std::to_string(number) + " " + word_for(a);
    return all;
  }
};

inline remote_client_actor::behavior_type scripted_caller(remote_client_actor::pointer,
                                                          received_answers* to) {
  return {[=](reply_atom, call_number number, const std::string& bytes) {
            to->answers.emplace_back(number, decode_answer(bytes));
          },
          [=](grown_atom, std::uint8_t of) { to->grown.push_back(of); }};
}

/// A call that changes an entity.
inline call_body change(entity_id id) {
  return command_call<payment_command>{id, cancel_payment{}, {}};
}
/// A call that reads an entity.
inline call_body look(entity_id id) { return entity_call{service::payment, id}; }

}  // namespace skanu
