#include "cluster/link.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/failures.hpp"
#include "cluster/middleman.hpp"

namespace skanu {

namespace {

/// A name that nobody has proved, fit for a quoted value of a log line.
std::string log_name(const std::string& name) { return is_node_name(name) ? name : "unknown"; }

/// What the other side gives as its reason, fit for a quoted value of a log line: it has proved
/// nothing.
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

hello link_identity::introduction(std::uint32_t protocol) const {
  auto h = make_hello(node, incarnation);
  h.protocol = protocol;
  h.cluster = in->cluster();
  h.orders = in->orders();
  return h;
}

link::link(caf::actor_config& config, link_identity self, std::string peer, caller_actor caller,
           servant_actor servant, std::optional<dialer_actor> dialer,
           std::shared_ptr<peer_status> status, link_limits limits)
    : link_actor::base(config),
      self_(std::move(self)),
      peer_name_(std::move(peer)),
      caller_(std::move(caller)),
      servant_(std::move(servant)),
      dialer_(std::move(dialer)),
      status_(std::move(status)),
      limits_(limits) {}

/// Handles go here and not with the object, which CAF's clock may be the last to hold.
void link::on_exit() {
  peer_.reset();
  dialer_.reset();
  caller_ = nullptr;
  servant_ = nullptr;
}

link::behavior_type link::make_behavior() {
  contain_failures(*this);
  set_down_handler([this](const caf::down_msg& down) {
    if (!peer_ || down.source != peer_->handles.link.address()) return;
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
            // Its old connection ended, and with it perhaps what was sent over that.
            lose(now(), "it began anew");
            let_in({o.dialer, o.incarnation, o.protocol}, "dialed");
            return true;
          },
          [this](leave_atom) {
            leaving_ = true;
            if (peer_) send(peer_->handles.link, bye_atom::value);
          },
          [this](sweep_atom) { sweep(); }};
}

// --- Dialing -----------------------------------------------------------------------------------

void link::dial_soon() {
  dial_at_ = now();
  if (self_.node > peer_name_) dial_at_ += limits_.yield;
}

bool link::may_dial() const {
  return dialer_ && !peer_ && !dialing_ && !leaving_ && now() >= dial_at_;
}

void link::dial() {
  dialing_ = true;
  // Without a limit, as looking up a name has none: the next dial would only wait behind this one.
  request(*dialer_, caf::infinite, dial_atom::value)
      .then([this](const door_actor& door) { introduce(door); },
            [this](const caf::error&) { dial_failed("it does not answer at its address"); });
}

void link::introduce(const door_actor& door) {
  if (dial_is_idle()) return;
  const auto own = self_.introduction(speaks_);
  const peer_handles own_handles{caf::actor_cast<peer_link_actor>(this), caller_, servant_};
  request(door, limits_.handshake, hello_atom::value, encode(own), own_handles)
      .then([this, door, own](const std::string& theirs,
                              const std::string& proof) { take_hello(door, own, theirs, proof); },
            [this](const caf::error& why) { refused(why); });
}

void link::take_hello(const door_actor& door, const hello& own, const std::string& theirs,
                      const std::string& proof) {
  if (dial_is_idle()) return;
  hello doors;
  try {
    doors = decode_hello(theirs);
  } catch (const decode_error&) {
    return dial_failed("its hello cannot be read");
  }
  if (doors.protocol != own.protocol)
    return dial_failed("it speaks protocol " + std::to_string(doors.protocol) + ", this node " +
                       std::to_string(protocol_version));
  // A node that took this one for its peer would let go of the connection that it has.
  if (doors.name != peer_name_)
    return dial_failed("there is a node named " + log_name(doors.name) + " at its address");
  if (!may_be(system(), door.node(), peer_name_)) {
    give_reason(door, doors, certificate_refused);
    return dial_failed("its certificate names another node");
  }
  const auto own_proof = proof_of(self_.secret, proving_side::dialer, own, doors);
  if (doors.protocol >= 4) {
    request(door, limits_.handshake, enter_atom::value, doors.nonce, own_proof)
        .then(
            [this, door, own, doors](const std::string& given, const peer_handles& peer) {
              take_proof(door, own, doors, given, peer);
            },
            [this](const caf::error& why) { refused(why); });
    return;
  }
  if (!is_proof(proof, self_.secret, proving_side::door, own, doors)) {
    give_reason(door, doors, {});
    return dial_failed("it has another cluster's secret");
  }
  note_proved(*this, door.node());
  request(door, limits_.handshake, proof_atom::value, doors.nonce, own_proof)
      .then([this, doors](const peer_handles& peer) { take_welcome(peer, doors); },
            [this](const caf::error& why) { refused(why); });
}

/// So that the other side, too, says in its log why: in the place of a proof.
void link::give_reason(const door_actor& door, const hello& doors, std::string_view reason) {
  request(door, limits_.handshake, proof_atom::value, doors.nonce, std::string(reason))
      .then([](const peer_handles&) {}, [](const caf::error&) {});
}

void link::take_proof(const door_actor& door, const hello& own, const hello& doors,
                      const std::string& proof, const peer_handles& peer) {
  if (!is_proof(proof, self_.secret, proving_side::door, own, doors))
    return dial_failed("it has another cluster's secret");
  if (!self_.in->admits(doors.cluster))
    return dial_failed(other_cluster(doors.cluster, self_.in->cluster()));
  note_proved(*this, door.node());
  take_welcome(peer, doors);
}

void link::take_welcome(const peer_handles& peer, const hello& doors) {
  if (name_is_taken(doors.incarnation)) return dial_failed("a node of that name is here already");
  dialing_ = false;
  self_.in->meet(peer_name_, doors.cluster, doors.orders);
  let_in({peer, doors.incarnation, doors.protocol}, "answered");
  say_alive();
}

bool link::dial_is_idle() {
  if (!peer_ && !leaving_) return false;
  dialing_ = false;
  return true;
}

/// A door of the version before answers no hello of this one.
void link::refused(const caf::error& why) {
  const auto reason = reason_of(why);
  const bool older = reason.find("speaks protocol") != reason.npos;
  speaks_ = older && speaks_ == protocol_version ? oldest_protocol_version : protocol_version;
  dial_failed(why.context().empty() ? "no answer to our hello" : "it refused us: " + reason);
}

void link::dial_failed(const std::string& why) {
  dialing_ = false;
  dial_at_ = now() + backoff(limits_.dial, ++failed_dials_, random_);
  if (why == last_failure_) return;
  last_failure_ = why;
  spdlog::warn("event=peer_not_reached peer={} reason=\"{}\"", peer_name_, why);
}

// --- The peer that there is --------------------------------------------------------------------

bool link::is_from_peer() { return peer_ && current_sender() == peer_->handles.link; }

bool link::name_is_taken(std::uint64_t incarnation) const {
  return peer_ && peer_->incarnation != incarnation && !peer_leaves_ &&
         now() - heard_ <= limits_.silence;
}

/// Neither side calls before the other takes its calls, or the first ones would be lost: our
/// servant knows the peer from here on, and our caller once the peer's link speaks.
void link::let_in(const known_peer& p, const char* how) {
  if (!peer_ || peer_->handles.link != p.handles.link) {
    lose(now(), "it began anew");
    forget_peer();
    monitor(p.handles.link);  // one that is gone already says so at once
  }
  peer_ = p;
  peer_leaves_ = false;
  heard_ = now();
  how_ = how;
  send(servant_, peer_arrived{p.handles, p.protocol});
}

void link::hear() {
  heard_ = now();
  if (!up_ && !peer_leaves_) arrive();
}

void link::say_alive() {
  if (leaving_ || !peer_) return;
  if (peer_->protocol < 4) return send(peer_->handles.link, alive_atom::value);
  const std::int64_t clock_ms = self_.wall_clock().time_since_epoch().count();
  send(peer_->handles.link, alive_atom::value, clock_ms);
}

/// Operations are forgotten, and times are shown, by each node's own clock.
void link::compare_clocks(instant theirs) {
  const auto offset = theirs - self_.wall_clock();
  status_->clock_offset_ms = offset.count();
  if (std::chrono::abs(offset) <= limits_.clock_tolerance) {
    clock_off_since_.reset();
    if (std::exchange(clock_off_said_, false))
      spdlog::info("event=clock_agrees peer={}", peer_name_);
    return;
  }
  if (!clock_off_since_) clock_off_since_ = now();
  if (now() - *clock_off_since_ < limits_.clock_patience || std::exchange(clock_off_said_, true))
    return;
  spdlog::warn("event=clock_differs peer={} ahead_ms={} advice=\"let both keep time by NTP\"",
               peer_name_, offset.count());
}

void link::arrive() {
  up_ = true;
  status_->up = true;
  failed_dials_ = 0;
  last_failure_.clear();
  spdlog::info("event=peer_arrived peer={} how=\"{}\"", peer_name_,
               std::exchange(how_, "speaks again"));
  send(caller_, peer_arrived{peer_->handles, peer_->protocol});
  say_alive();
}

void link::lose(time_point since, const char* why) {
  if (!std::exchange(up_, false)) return;
  status_->away_since = now();
  status_->up = false;
  spdlog::warn("event=peer_lost peer={} reason=\"{}\"", peer_name_, why);
  send(caller_, peer_lost{since});
}

void link::let_go() {
  if (peer_) self_.in->left(peer_name_);
  forget_peer();
}

void link::forget_peer() {
  if (!peer_) return;
  demonitor(peer_->handles.link.address());
  peer_.reset();
  speaks_ = protocol_version;
  peer_leaves_ = false;
  dial_soon();
}

void link::sweep() {
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
