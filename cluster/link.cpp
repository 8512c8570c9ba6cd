#include "cluster/link.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/failures.hpp"
#include "cluster/middleman.hpp"

namespace skanu {

namespace {

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
            if (!is_from_peer()) return;
            heard_ = now();
            if (!up_ && !peer_leaves_) arrive();
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
            let_in(o.dialer, o.incarnation, "dialed");
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
  const auto own = make_hello(self_.node, self_.incarnation);
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
  if (doors.protocol != protocol_version)
    return dial_failed("it speaks protocol " + std::to_string(doors.protocol) + ", this node " +
                       std::to_string(protocol_version));
  if (!is_proof(proof, self_.secret, proving_side::door, own, doors)) {
    // So that the other side, too, says in its log that the secrets differ.
    request(door, limits_.handshake, proof_atom::value, doors.nonce, std::string())
        .then([](const peer_handles&) {}, [](const caf::error&) {});
    return dial_failed("it has another cluster's secret");
  }
  if (doors.name != peer_name_)
    return dial_failed("there is a node named " + doors.name + " at its address");
  if (!may_be(system(), door.node(), peer_name_)) {
    request(door, limits_.handshake, proof_atom::value, doors.nonce,
            std::string(certificate_refused))
        .then([](const peer_handles&) {}, [](const caf::error&) {});
    return dial_failed("its certificate names another node");
  }
  note_proved(*this, door.node());
  request(door, limits_.handshake, proof_atom::value, doors.nonce,
          proof_of(self_.secret, proving_side::dialer, own, doors))
      .then([this, incarnation = doors.incarnation](
                const peer_handles& peer) { take_welcome(peer, incarnation); },
            [this](const caf::error& why) { refused(why); });
}

void link::take_welcome(const peer_handles& peer, std::uint64_t incarnation) {
  if (name_is_taken(incarnation)) return dial_failed("a node of that name is here already");
  dialing_ = false;
  let_in(peer, incarnation, "answered");
  if (!leaving_) send(peer.link, alive_atom::value);
}

bool link::dial_is_idle() {
  if (!peer_ && !leaving_) return false;
  dialing_ = false;
  return true;
}

void link::refused(const caf::error& why) {
  dial_failed(why.context().empty() ? "no answer to our hello"
                                    : "it refused us: " + reason_of(why));
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
void link::let_in(const peer_handles& handles, std::uint64_t incarnation, const char* how) {
  if (!peer_ || peer_->handles.link != handles.link) {
    lose(now(), "it began anew");
    let_go();
    monitor(handles.link);  // one that is gone already says so at once
  }
  peer_ = {handles, incarnation};
  peer_leaves_ = false;
  heard_ = now();
  how_ = how;
  send(servant_, peer_arrived{handles});
}

void link::arrive() {
  up_ = true;
  status_->up = true;
  failed_dials_ = 0;
  last_failure_.clear();
  spdlog::info("event=peer_arrived peer={} how=\"{}\"", peer_name_,
               std::exchange(how_, "speaks again"));
  send(caller_, peer_arrived{peer_->handles});
  if (!leaving_) send(peer_->handles.link, alive_atom::value);
}

void link::lose(time_point since, const char* why) {
  if (!std::exchange(up_, false)) return;
  status_->away_since = now();
  status_->up = false;
  spdlog::warn("event=peer_lost peer={} reason=\"{}\"", peer_name_, why);
  send(caller_, peer_lost{since});
}

void link::let_go() {
  if (!peer_) return;
  demonitor(peer_->handles.link.address());
  peer_.reset();
  peer_leaves_ = false;
  dial_soon();
}

void link::sweep() {
  delayed_send(this, limits_.alive_every, sweep_atom::value);
  if (peer_) {
    if (!leaving_) send(peer_->handles.link, alive_atom::value);
    const auto silence = now() - heard_;
    if (silence > limits_.silence) lose(heard_, "it is silent");
    if (silence > limits_.let_go) let_go();
  }
  if (may_dial()) dial();
}

}  // namespace skanu
