#include "cluster/peers/peer_session.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/supervision/failures.hpp"
#include "cluster/peers/middleman.hpp"

namespace skanu {

namespace {

/// Returns an unproved name in a form fit for a quoted value of a log line.
std::string log_name(const std::string& name) { return is_node_name(name) ? name : "unknown"; }

/// Returns the other side's reason in a form fit for a quoted value of a log line: the other side
/// has not proved the secret.
std::string reason_of(const caf::error& refusal) {
  constexpr std::size_t longest = 200;
  const auto& said = refusal.context();
  auto reason =
      said.match_elements<std::string>() ? said.get_as<std::string>(0) : caf::to_string(said);
  reason.resize(std::min(reason.size(), longest));
  for (auto& c : reason)
    if (c < ' ' || c > '~' || c == '"') c = '?';
  return reason;
}

}  // namespace

hello node_identity::introduction(std::uint32_t protocol) const {
  auto h = make_hello(node, incarnation);
  h.protocol = protocol;
  h.cluster = in->cluster();
  h.orders = in->orders();
  for (const auto s : services) h.services.emplace_back(name_of(s));
  return h;
}

peer_session::peer_session(caf::actor_config& config, node_identity self, expected_peer peer,
                           rpc_client_actor rpc_client, rpc_server_actor rpc_server,
                           std::optional<connector_actor> connector,
                           std::shared_ptr<peer_status> status, std::uint64_t seed,
                           peer_session_limits limits)
    : peer_session_actor::base(config),
      self_(std::move(self)),
      expected_(std::move(peer)),
      rpc_client_(std::move(rpc_client)),
      rpc_server_(std::move(rpc_server)),
      connector_(std::move(connector)),
      status_(std::move(status)),
      limits_(limits),
      random_(seed) {}

/// Releases the handles here because CAF's clock may hold the object for longer.
void peer_session::on_exit() {
  peer_.reset();
  connector_.reset();
  rpc_client_ = nullptr;
  rpc_server_ = nullptr;
}

peer_session::behavior_type peer_session::make_behavior() {
  contain_failures(*this);
  set_down_handler([this](const caf::down_msg& down) {
    if (!peer_ || down.source != peer_->handles.session.address()) return;
    lose(now(), "its connection ended");
    let_go();
  });
  dial_soon();
  send(this, sweep_atom::value);
  return {[this](alive_atom) {
            if (is_from_peer()) hear();
          },
          [this](alive_atom, std::int64_t wall_clock_ms) {
            if (!is_from_peer()) return;
            hear();
            compare_clocks(instant(std::chrono::milliseconds(wall_clock_ms)));
          },
          [this](bye_atom) {
            if (!is_from_peer()) return;
            peer_leaves_ = true;
            lose(now(), "leaves");
          },
          [this](const peer_offer& o) {
            if (name_is_taken(o.incarnation)) return false;
            // The old connection has ended, perhaps with undelivered messages.
            lose(now(), "it began anew");
            let_in({o.connector, o.incarnation, o.protocol}, "dialed");
            return true;
          },
          [this](leave_atom) {
            leaving_ = true;
            if (peer_) send(peer_->handles.session, bye_atom::value);
          },
          [this](sweep_atom) { sweep(); }};
}

// --- Dialing -----------------------------------------------------------------------------------

void peer_session::dial_soon() {
  dial_at_ = now();
  if (self_.node > expected_.name) dial_at_ += limits_.yield;
}

bool peer_session::may_dial() const {
  return connector_ && !peer_ && !dialing_ && !leaving_ && now() >= dial_at_;
}

void peer_session::dial() {
  dialing_ = true;
  // The request has no limit because a name lookup has none: a further dial would only wait behind
  // the lookup.
  request(*connector_, caf::infinite, dial_atom::value)
      .then([this](const acceptor_actor& acceptor) { introduce(acceptor); },
            [this](const caf::error&) {
              dial_failed("it does not answer at its address, or not to this node's TLS");
            });
}

void peer_session::introduce(const acceptor_actor& acceptor) {
  if (dial_is_idle()) return;
  const auto own = encode(self_.introduction(speaks_));
  const peer_handles own_handles{caf::actor_cast<remote_session_actor>(this), rpc_client_,
                                 rpc_server_};
  request(acceptor, limits_.handshake, hello_atom::value, own, own_handles)
      .then(
          [this, acceptor, own](const std::string& theirs, const std::string& proof) {
            take_hello({acceptor, own, theirs}, proof);
          },
          [this](const caf::error& why) { refused(why); });
}

void peer_session::take_hello(greeting g, const std::string& proof) {
  if (dial_is_idle()) return;
  try {
    g.said = decode_hello(g.theirs);
  } catch (const decode_error&) {
    return dial_failed("its hello cannot be read");
  }
  const auto protocol = g.said.protocol;
  if (protocol < oldest_protocol_version || protocol > speaks_)
    return dial_failed("it speaks protocol " + std::to_string(protocol) + ", this node " +
                       std::to_string(protocol_version));
  // A wrong node would take the dial for a reconnect, and drop a good connection.
  if (!expected_.is(g.said))
    return dial_failed("there is a node named " + log_name(g.said.name) + " at its address");
  if (!is_named_by_certificate(g)) {
    give_reason(g, certificate_refused);
    return dial_failed("its certificate names another node");
  }
  const auto own_proof = proof_of(self_.secret, proving_side::connector, g.own, g.theirs);
  if (protocol >= 4) {
    request(g.acceptor, limits_.handshake, enter_atom::value, g.said.nonce, own_proof)
        .then([this, g](const std::string& given,
                        const peer_handles& peer) { take_proof(g, given, peer); },
              [this](const caf::error& why) { refused(why); });
    return;
  }
  if (!is_proof(proof, self_.secret, proving_side::acceptor, g.own, g.theirs)) {
    give_reason(g, {});
    return dial_failed("it has another cluster's secret");
  }
  note_proved(*this, g.acceptor.node());
  request(g.acceptor, limits_.handshake, proof_atom::value, g.said.nonce, own_proof)
      .then([this, g](const peer_handles& peer) { take_welcome(g, peer); },
            [this](const caf::error& why) { refused(why); });
}

/// A node of another name than the configured one needs a certificate for both: the authority
/// decides which node may run which services.
bool peer_session::is_named_by_certificate(const greeting& g) {
  const auto node = g.acceptor.node();
  return may_be(system(), node, expected_.name) && may_be(system(), node, g.said.name);
}

/// Sends the reason in place of a proof, so that the other side can log the reason too.
void peer_session::give_reason(const greeting& g, std::string_view reason) {
  request(g.acceptor, limits_.handshake, proof_atom::value, g.said.nonce, std::string(reason))
      .then([](const peer_handles&) {}, [](const caf::error&) {});
}

void peer_session::take_proof(const greeting& g, const std::string& proof,
                              const peer_handles& peer) {
  if (!is_proof(proof, self_.secret, proving_side::acceptor, g.own, g.theirs))
    return dial_failed("it has another cluster's secret");
  if (!self_.in->admits(g.said.cluster))
    return dial_failed(other_cluster(g.said.cluster, self_.in->cluster()));
  note_proved(*this, g.acceptor.node());
  take_welcome(g, peer);
}

void peer_session::take_welcome(const greeting& g, const peer_handles& peer) {
  if (name_is_taken(g.said.incarnation)) return dial_failed("a node of that name is here already");
  dialing_ = false;
  if (self_.on_proved) self_.on_proved(expected_.name, g.said);
  self_.in->meet(expected_.name, g.said.cluster, g.said.orders);
  let_in({peer, g.said.incarnation, g.said.protocol}, "answered");
  say_alive();
}

bool peer_session::dial_is_idle() {
  if (!peer_ && !leaving_) return false;
  dialing_ = false;
  return true;
}

/// Tries the next older version if the acceptor refuses the current version, and after the oldest
/// begins anew with the newest.
void peer_session::refused(const caf::error& why) {
  const auto reason = reason_of(why);
  const bool older = reason.find("speaks protocol") != reason.npos;
  speaks_ = older && speaks_ > oldest_protocol_version ? speaks_ - 1 : protocol_version;
  dial_failed(why.context().empty() ? "no answer to our hello" : "it refused us: " + reason);
}

void peer_session::dial_failed(const std::string& why) {
  dialing_ = false;
  dial_at_ = now() + backoff(limits_.dial, ++failed_dials_, random_);
  if (why == last_failure_) return;
  last_failure_ = why;
  spdlog::warn("event=peer_not_reached peer={} reason=\"{}\"", expected_.name, why);
}

// --- The connected peer -----------------------------------------------------------------------

bool peer_session::is_from_peer() { return peer_ && current_sender() == peer_->handles.session; }

bool peer_session::name_is_taken(std::uint64_t incarnation) const {
  return peer_ && peer_->incarnation != incarnation && !peer_leaves_ &&
         now() - heard_ <= limits_.silence;
}

/// A side calls only after the other side accepts its calls, so that the first calls are not lost:
/// the local rpc_server knows the peer from here on, and the rpc_client starts with the first
/// message of the peer's session.
void peer_session::let_in(const known_peer& p, const char* how) {
  if (!peer_ || peer_->handles.session != p.handles.session) {
    lose(now(), "it began anew");
    forget_peer();
    monitor(p.handles.session);  // an ended session reports down at once
  }
  peer_ = p;
  peer_leaves_ = false;
  heard_ = now();
  how_ = how;
  send(rpc_server_, peer_arrived{p.handles, p.protocol});
}

void peer_session::hear() {
  heard_ = now();
  if (!up_ && !peer_leaves_) arrive();
}

void peer_session::say_alive() {
  if (leaving_ || !peer_) return;
  if (peer_->protocol < 4) return send(peer_->handles.session, alive_atom::value);
  const std::int64_t clock_ms = self_.wall_clock().time_since_epoch().count();
  send(peer_->handles.session, alive_atom::value, clock_ms);
}

/// Compares the clocks because each node expires operations and shows times by a local clock.
void peer_session::compare_clocks(instant theirs) {
  const auto offset = theirs - self_.wall_clock();
  status_->clock_offset_ms = offset.count();
  if (std::chrono::abs(offset) <= limits_.clock_tolerance) {
    clock_off_since_.reset();
    if (std::exchange(clock_off_said_, false))
      spdlog::info("event=clock_agrees peer={}", expected_.name);
    return;
  }
  if (!clock_off_since_) clock_off_since_ = now();
  if (now() - *clock_off_since_ < limits_.clock_tolerated_for ||
      std::exchange(clock_off_said_, true))
    return;
  spdlog::warn("event=clock_differs peer={} ahead_ms={} advice=\"let both keep time by NTP\"",
               expected_.name, offset.count());
}

void peer_session::arrive() {
  up_ = true;
  status_->up = true;
  failed_dials_ = 0;
  last_failure_.clear();
  spdlog::info("event=peer_arrived peer={} how=\"{}\"", expected_.name,
               std::exchange(how_, "speaks again"));
  send(rpc_client_, peer_arrived{peer_->handles, peer_->protocol});
  say_alive();
}

void peer_session::lose(time_point since, const char* why) {
  if (!std::exchange(up_, false)) return;
  status_->away_since = now();
  status_->up = false;
  spdlog::warn("event=peer_lost peer={} reason=\"{}\"", expected_.name, why);
  send(rpc_client_, peer_lost{since});
}

void peer_session::let_go() {
  if (peer_) self_.in->left(expected_.name);
  forget_peer();
}

void peer_session::forget_peer() {
  if (!peer_) return;
  demonitor(peer_->handles.session.address());
  peer_.reset();
  speaks_ = protocol_version;
  peer_leaves_ = false;
  dial_soon();
}

void peer_session::sweep() {
  delayed_send(this, limits_.alive_every, sweep_atom::value);
  if (peer_) {
    say_alive();
    const auto silence = now() - heard_;
    if (silence > limits_.silence) lose(heard_, "it is silent");
    if (silence > limits_.let_go) let_go();
  }
  if (may_dial()) dial();
}

}  // namespace skanu
