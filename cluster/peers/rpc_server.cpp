#include "cluster/peers/rpc_server.hpp"

#include <spdlog/spdlog.h>

#include "actors/entities/actor_reply.hpp"
#include "actors/supervision/failures.hpp"
#include "messages/deadlines.hpp"

namespace skanu {

namespace {

/// A call of a newer node, or a damaged call: certainly not carried out.
error not_understood() {
  return {errc::service_away,
          "That service's node is of another version and does not know the call. Nothing was "
          "changed."};
}

error not_here() { return {errc::service_away, "That service does not run on this node."}; }

}  // namespace

rpc_server::rpc_server(caf::actor_config& config, local_services services)
    : rpc_server_actor::base(config), services_(std::move(services)) {}

/// Releases the handles here because CAF's clock may hold the object for longer.
void rpc_server::on_exit() {
  peer_ = nullptr;
  services_ = {};
  left_ = {};
}

rpc_server::behavior_type rpc_server::make_behavior() {
  contain_failures(*this);
  for (const auto& log : services_.logs)
    if (log) send(log, follow_atom::value, caf::actor_cast<follower_actor>(this));
  return {[this](call_atom, call_number number, const std::string& bytes) {
            if (peer_ && current_sender() == peer_) serve(number, bytes);
          },
          [this](command_carried_out& c) {
            const auto found = under_way_.find(c.command);
            if (found == under_way_.end()) return;  // the call of an earlier run of the peer
            const auto number = found->second.number;
            under_way_.erase(found);
            numbers_.erase(number);
            reply_with(number, std::visit([](auto r) { return answer_body(std::move(r)); },
                                          std::move(c.result)));
            finished();
          },
          [this](hint_atom, service of) {
            if (peer_) send(peer_, grown_atom::value, static_cast<std::uint8_t>(of));
          },
          [this](const peer_arrived& a) {
            if (peer_ != a.peer.rpc_client) {
              under_way_.clear();
              numbers_.clear();
              ++peer_runs_;
              finished();
            }
            peer_ = a.peer.rpc_client;
            protocol_ = a.protocol;
          },
          [this](leave_atom) -> caf::result<bool> {
            leaving_ = true;
            left_ = make_response_promise<bool>();
            finished();
            return left_;
          }};
}

void rpc_server::serve(call_number number, const std::string& bytes) {
  // The answer to the call under way also answers the repeat.
  if (numbers_.contains(number)) return;
  if (leaving_) return reply_with(number, error{errc::shutting_down, "This node is leaving."});
  forget_lost_calls();
  if (under_way_.size() >= most_calls)
    return reply_with(number, error{errc::overloaded, "Too much is waiting here."});
  try {
    auto call = decode_call(bytes, protocol_);
    std::visit([&](auto& c) { carry_out(number, c); }, call);
  } catch (const decode_error& problem) {
    spdlog::error("event=call_not_understood reason=\"{}\"", problem.what());
    reply_with(number, not_understood());
  }
}

void rpc_server::forget_lost_calls() {
  while (!under_way_.empty() && clock().now() - under_way_.begin()->second.since > longest) {
    numbers_.erase(under_way_.begin()->second.number);
    under_way_.erase(under_way_.begin());
  }
}

skanu::command_context rpc_server::admit(call_number number, skanu::command_context&& with) {
  const auto command = ++last_command_;
  under_way_.emplace(command, call_under_way{number, clock().now()});
  numbers_.insert(number);
  with.answer = reply_to(address(), command_carried_out{command});
  return std::move(with);
}

void rpc_server::carry_out(call_number number, place_call& c) {
  if (!services_.checkout) return reply_with(number, not_here());
  send(services_.checkout, std::move(c.order), admit(number, std::move(c.with)));
}

template <class Command>
void rpc_server::carry_out(call_number number, command_call<Command>& c) {
  const auto& region = services_.entities.of<Command>();
  if (!region) return reply_with(number, not_here());
  send(region, c.id, std::move(c.command), admit(number, std::move(c.with)));
}

void rpc_server::carry_out(call_number number, pull_call& c) {
  const auto& log = services_.logs[static_cast<std::size_t>(c.of)];
  if (!log) return reply_with(number, not_here());
  // The log answers at once from the store; a later answer means a dead log.
  request(log, std::chrono::seconds(2), pull_atom::value, std::move(c.query))
      .then(
          [this, number, asked_by = peer_runs_](event_batch& batch) {
            if (asked_by == peer_runs_) reply_with(number, std::move(batch));
          },
          [this, number, asked_by = peer_runs_](const caf::error&) {
            if (asked_by == peer_runs_)
              reply_with(number, error{errc::store_failed, "The log could not be read."});
          });
}

void rpc_server::carry_out(call_number number, breaker_call&) {
  if (services_.breaker == nullptr) return reply_with(number, not_here());
  reply_with(number, services_.breaker->get());
}

template <class Read>
void rpc_server::carry_out(call_number number, Read& c) {
  const auto* data = services_.stores[static_cast<std::size_t>(c.of)];
  if (data == nullptr) return reply_with(number, not_here());
  if (reads_ >= most_reads)
    return reply_with(number, error{errc::overloaded, "Too many reads wait here."});
  ++reads_;
  numbers_.insert(number);
  const auto& by = std::same_as<Read, entity_call> ? services_.item_reader : services_.page_reader;
  // The reader skips reads past the peer's own deadline, so the request needs no limit.
  request(by, caf::infinite, read_atom::value,
          peer_read{data, std::move(c), clock().now() + request_deadline, protocol_})
      .then([this, number, asked_by = peer_runs_](
                const std::string& answer) { answer_read(number, asked_by, answer); },
            [this, number, asked_by = peer_runs_](const caf::error&) {
              answer_read(number, asked_by,
                          encode(answer_body(error{errc::store_failed, "It could not be read."}),
                                 protocol_));
            });
}

void rpc_server::answer_read(call_number number, int asked_by, const std::string& answer) {
  --reads_;
  if (asked_by == peer_runs_) {
    numbers_.erase(number);
    send(peer_, reply_atom::value, number, answer);
  }
  finished();
}

void rpc_server::reply_with(call_number number, const answer_body& answer) {
  send(peer_, reply_atom::value, number, encode(answer, protocol_));
}

void rpc_server::finished() {
  if (leaving_ && left_.pending() && under_way_.empty() && reads_ == 0) left_.deliver(true);
}

}  // namespace skanu
