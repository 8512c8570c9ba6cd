#include "cluster/peers/rpc_client.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/supervision/failures.hpp"

namespace skanu {

namespace {

/// True for the refusal of a new call by a leaving node.
bool says_that_it_leaves(const answer_body& answer) {
  const auto* e = std::get_if<error>(&answer);
  return e != nullptr && e->code == errc::shutting_down;
}

}  // namespace

rpc_client::rpc_client(caf::actor_config& config, std::string peer, rpc_client_limits limits)
    : rpc_client_actor::base(config), peer_name_(std::move(peer)), limits_(limits) {}

/// Releases the handles here because CAF's clock may hold the object for longer.
void rpc_client::on_exit() {
  peer_ = nullptr;
  calls_.clear();
  for (auto& followers : logs_) followers.clear();
}

rpc_client::behavior_type rpc_client::make_behavior() {
  contain_failures(*this);
  lost_since_ = now();
  set_down_handler([this](const caf::down_msg& down) {
    for (auto& followers : logs_)
      std::erase_if(followers, [&](const auto& log) { return log.address() == down.source; });
  });
  return {[this](outgoing_call& c) { make(std::move(c)); },
          [this](reply_atom, call_number number, const std::string& bytes) {
            if (from_peer()) take_answer(number, bytes);
          },
          [this](grown_atom, std::uint8_t of) {
            if (!from_peer() || of >= service_count) return;
            for (const auto& log : logs_[of]) send(log, hint_atom::value);
          },
          [this](pull_atom, service of, log_query& query) { return pull(of, query); },
          [this](follow_atom, service of, const event_log_actor& log) { follow(of, log); },
          [this](const peer_arrived& a) { arrive(a); },
          [this](const peer_lost& l) { lose(l.since); },
          [this](sweep_atom) { sweep(); }};
}

/// A route repeats its followers at each turn.
void rpc_client::follow(service of, const event_log_actor& log) {
  auto& followers = logs_[static_cast<std::size_t>(of)];
  if (std::ranges::find(followers, log) == followers.end()) {
    monitor(log.address());
    followers.push_back(log);
  }
  if (up_) send(log, hint_atom::value);
}

void rpc_client::make(outgoing_call c) {
  if (peer_is_gone()) return c.take(away());
  if (calls_.size() >= limits_.calls)
    return c.take(error{errc::overloaded, "Too much waits for the " + peer_name_ + " service."});
  const auto number = ++last_number_;
  const auto latest = now() + limits_.deadline;
  const auto until = std::min(c.until.value_or(latest), latest);
  auto& kept = calls_.emplace(number, waiting_call{std::move(c), until}).first->second;
  if (up_) send_to_peer(number, kept);
  start_sweeping();
}

caf::result<event_batch> rpc_client::pull(service of, log_query& query) {
  auto answer = make_response_promise<event_batch>();
  const auto from = query.from;
  make({pull_call{of, std::move(query)}, [this, from, answer](answer_body a) mutable {
          if (auto* batch = std::get_if<event_batch>(&a)) {
            // A log of protocol version 3 does not report a fork.
            if (protocol_ < 4) batch->forked = batch->end + 1 < from;
            answer.deliver(std::move(*batch));
          } else {
            answer.deliver(caf::make_error(caf::sec::request_receiver_down));
          }
        }});
  return answer;
}

void rpc_client::send_to_peer(call_number number, waiting_call& c) {
  if (c.tries++ > 0) mark_repeated(c.call.body);
  send(peer_, call_atom::value, number, encode(c.call.body, protocol_));
}

void rpc_client::take_answer(call_number number, const std::string& bytes) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;  // past the deadline
  answer_body answer;
  try {
    answer = decode_answer(bytes, protocol_);
  } catch (const decode_error& problem) {
    spdlog::error("event=undecodable_answer peer={} reason=\"{}\"", peer_name_, problem.what());
    // The peer answered, but the fate of a change is unknown.
    answer = is_change(found->second.call.body)
                 ? unknown()
                 : error{errc::undecodable, "The answer of another node could not be read."};
  }
  if (says_that_it_leaves(answer)) {  // not carried out: sent again at the peer's return
    found->second.tries = std::max(0, found->second.tries - 1);
    return;
  }
  const auto take = std::move(found->second.call.take);
  calls_.erase(found);
  take(std::move(answer));
}

void rpc_client::arrive(const peer_arrived& a) {
  peer_ = a.peer.rpc_server;
  protocol_ = a.protocol;
  up_ = true;
  for (auto& [number, c] : calls_) send_to_peer(number, c);
  for (const auto& followers : logs_)
    for (const auto& log : followers) send(log, hint_atom::value);
}

void rpc_client::lose(time_point since) {
  if (!std::exchange(up_, false)) return;
  lost_since_ = since;
}

void rpc_client::sweep() {
  sweeping_ = false;
  const bool nobody_waits = peer_is_gone();
  for (auto c = calls_.begin(); c != calls_.end();) {
    if (!nobody_waits && c->second.until > now()) {
      ++c;
      continue;
    }
    give_up(c->second);
    c = calls_.erase(c);
  }
  start_sweeping();
}

void rpc_client::start_sweeping() {
  if (calls_.empty() || std::exchange(sweeping_, true)) return;
  delayed_send(this, limits_.sweep, sweep_atom::value);
}

void rpc_client::give_up(waiting_call& c) {
  if (c.tries > 0 && is_change(c.call.body)) {
    c.call.take(unknown());
  } else {
    c.call.take(away());
  }
}

bool rpc_client::from_peer() const {
  return peer_ && const_cast<rpc_client*>(this)->current_sender() == peer_;
}

error rpc_client::unknown() const {
  return {errc::outcome_unknown,
          "The " + peer_name_ +
              " service gave no answer in time: it may or may not have happened. "
              "Repeat it under the same Idempotency-Key."};
}

error rpc_client::away() const {
  return {errc::service_away, "The " + peer_name_ + " service is away. Nothing was changed."};
}

}  // namespace skanu
