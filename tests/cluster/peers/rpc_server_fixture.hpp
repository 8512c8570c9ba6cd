// An rpc_server with peers, logs and readers that answer on the test's order.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/peers/reader.hpp"
#include "cluster/peers/rpc_server.hpp"
#include "persistence/document.hpp"
#include "tests/support/checkout_fixture.hpp"
#include "tests/support/peer_calls.hpp"

namespace skanu {

/// Waiting pulls, each with its first offset.
using waiting_pulls = std::deque<std::pair<caf::typed_response_promise<event_batch>, log_offset>>;

/// A log that answers the oldest pull on a hint.
inline event_log_actor::behavior_type scripted_event_log(event_log_actor::pointer self,
                                                         waiting_pulls* pulls,
                                                         follower_actor* follower) {
  return {[=](pull_atom, const log_query& query) {
            pulls->emplace_back(self->make_response_promise<event_batch>(), query.from);
            return pulls->back().first;
          },
          [=](follow_atom, const follower_actor& f) { *follower = f; },
          [=](hint_atom) {
            pulls->front().first.deliver(event_batch{{}, pulls->front().second, false});
            pulls->pop_front();
          }};
}

/// Waiting reads.
using waiting_reads = std::deque<caf::typed_response_promise<std::string>>;

/// A reader that answers the oldest read with the bytes sent by the test.
using scripted_reader_actor = reader_actor::extend<caf::reacts_to<std::string>>;

inline scripted_reader_actor::behavior_type scripted_reader(scripted_reader_actor::pointer self,
                                                            waiting_reads* reads) {
  return {[=](read_atom, const peer_read&) {
            reads->push_back(self->make_response_promise<std::string>());
            return reads->back();
          },
          [=](const std::string& answer) {
            reads->front().deliver(answer);
            reads->pop_front();
          }};
}

class rpc_server_test : public actor_fixture {
 protected:
  rpc_server_test() {
    here.entities.of<payment_command>() = keep(system.spawn(scripted_payment, &questions));
    here.item_reader = here.page_reader = keep(system.spawn(reader));
    for (auto& p : peers) p = keep(system.spawn(scripted_caller, &told[&p - peers]));
  }

  ~rpc_server_test() override {
    questions.clear();  // destroyed replies answer their calls
    run();
    pulls.clear();
    reads.clear();
    holding = nullptr;
    follower = nullptr;
  }

  /// Starts the rpc_server with one peer.
  void serve() {
    serving = start<rpc_server>(here);
    arrive(peers[0]);
  }

  void arrive(const remote_client_actor& p) {
    caf::anon_send(serving, peer_arrived{{{}, p, {}}});
    run();
  }

  void call(call_number number, const call_body& body) { call_as(peers[0], number, body); }
  void call_as(const remote_client_actor& p, call_number number, const call_body& body) {
    call_bytes(p, number, encode(body));
  }
  void call_bytes(const remote_client_actor& p, call_number number, const std::string& bytes) {
    caf::send_as(p, serving, call_atom::value, number, bytes);
    run();
  }

  void decide(std::size_t question, outcome result) {
    questions.at(question).how.answer(std::move(result));
    run();
  }

  /// Asks the rpc_server to leave; the answer arrives at `leaving`.
  void leave() {
    leaving.emplace(system);
    asked_to_leave.emplace((*leaving)->request(serving, caf::infinite, leave_atom::value));
    run();
  }
  bool has_left() { return (*leaving)->has_next_message(); }

  void use_log() {
    here.logs[static_cast<std::size_t>(service::payment)] =
        keep(system.spawn(scripted_event_log, &pulls, &follower));
  }
  /// Uses readers that answer on the test's order.
  void hold_reads() {
    here.stores[static_cast<std::size_t>(service::payment)] = &data;
    holding = keep(system.spawn(scripted_reader, &reads));
    here.item_reader = here.page_reader = holding;
  }
  void answer_read(const std::string& document) {
    caf::anon_send(holding, encode(answer_body(std::optional<std::string>(document))));
    run();
  }
  void answer_pull() {
    caf::anon_send(here.logs[static_cast<std::size_t>(service::payment)], hint_atom::value);
    run();
  }

  local_services here;
  rpc_server_actor serving;
  std::vector<question> questions;
  remote_client_actor peers[2];
  received_answers told[2];
  waiting_pulls pulls;
  waiting_reads reads;
  scripted_reader_actor holding;
  follower_actor follower;

 private:
  using leave_request = decltype(std::declval<caf::scoped_actor&>()->request(
      std::declval<rpc_server_actor&>(), caf::infinite, leave_atom::value));
  std::optional<caf::scoped_actor> leaving;
  std::optional<leave_request> asked_to_leave;
};

}  // namespace skanu
