#include "cluster/link.hpp"

#include <spdlog/spdlog.h>

#include "actors/failures.hpp"

namespace skanu {

link::link(caf::actor_config& config, link_identity self, std::string peer, caller_actor caller,
           servant_actor servant, std::optional<dialer_actor> dialer, peer_status& status,
           link_limits limits)
    : link_actor::base(config),
      self_(std::move(self)),
      peer_name_(std::move(peer)),
      caller_(std::move(caller)),
      servant_(std::move(servant)),
      dialer_(std::move(dialer)),
      status_(status),
      limits_(limits) {}

/// Handles go here and not with the object, which CAF's clock may be the last to hold.
void link::on_exit() {
  peer_.reset();
  offer_.reset();
  dialer_.reset();
  caller_ = nullptr;
  servant_ = nullptr;
}

link::behavior_type link::make_behavior() {
  contain_failures(*this);
  set_down_handler([this](const caf::down_msg& down) {
    if (peer_ && down.source == peer_->link.address()) gone();
  });
  dial_at_ = now();
  if (self_.node > peer_name_) dial_at_ += limits_.yield;
  send(this, sweep_atom::value);
  return {[this](const peer_offer& o) { take_offer(o); },
          [this](proof_atom, const std::string& proof) { take_proof(proof); },
          [this](alive_atom) {
            if (!peer_ || current_sender() != peer_->link) return;
            heard_ = now();
            const bool answered = std::exchange(proving_, false);
            if (!up_ && !peer_leaves_) arrive(*peer_, answered ? "answered" : "speaks again");
          },
          [this](bye_atom) {
            if (!peer_ || current_sender() != peer_->link) return;
            peer_leaves_ = true;
            lose(now(), "leaves");
          },
          [this](leave_atom) {
            leaving_ = true;
            if (peer_) send(peer_->link, bye_atom::value);
          },
          [this](sweep_atom) { sweep(); }};
}

peer_handles link::own_handles() {
  return {caf::actor_cast<peer_link_actor>(this), caller_, servant_};
}

void link::take_offer(const peer_offer& o) {
  offer_ = offer{o.dialer, decode_hello(o.dialers_hello), decode_hello(o.own_hello)};
}

void link::take_proof(const std::string& proof) {
  if (!offer_ || current_sender() != offer_->dialer.link) return;
  const auto offered = *std::exchange(offer_, std::nullopt);
  if (!is_proof(proof, self_.secret, proving_side::dialer, offered.dialers, offered.own)) {
    spdlog::error("event=peer_refused peer={} reason=\"it has another cluster's secret\"",
                  peer_name_);
    return;
  }
  arrive(offered.dialer, "dialed");
}

void link::dial() {
  dialing_ = true;
  // Its own limits are shorter; this one is for a dialer that is gone.
  request(*dialer_, std::chrono::seconds(5), dial_atom::value)
      .then([this](const door_actor& door) { introduce(door); },
            [this](const caf::error&) { dial_failed("it does not answer at its address"); });
}

void link::introduce(const door_actor& door) {
  const auto own = make_hello(self_.node, self_.incarnation);
  request(door, limits_.handshake, hello_atom::value, encode(own), own_handles())
      .then(
          [this, own](const std::string& theirs, const std::string& proof,
                      const peer_handles& peer) { take_welcome(own, theirs, proof, peer); },
          [this](const caf::error& why) {
            dial_failed(why.context().empty() ? "no answer to our hello"
                                              : "it refused us: " + system().render(why));
          });
}

void link::take_welcome(const hello& own, const std::string& theirs, const std::string& proof,
                        const peer_handles& peer) {
  if (up_) return;  // it dialed us meanwhile
  hello door;
  try {
    door = decode_hello(theirs);
  } catch (const decode_error&) {
    return dial_failed("its hello cannot be read");
  }
  if (door.protocol != protocol_version)
    return dial_failed("it speaks protocol " + std::to_string(door.protocol) + ", this node " +
                       std::to_string(protocol_version));
  if (!is_proof(proof, self_.secret, proving_side::door, own, door)) {
    // So that the other side, too, says in its log that the secrets differ.
    send(peer.link, proof_atom::value, std::string());
    return dial_failed("it has another cluster's secret");
  }
  if (door.name != peer_name_)
    return dial_failed("there is a node named " + door.name + " at its address");
  prove(own, door, peer);
}

/// Neither side calls before the other takes its calls, or the first ones would be lost: our servant
/// knows the peer before the peer knows us, and our caller once the peer's link speaks.
void link::prove(const hello& own, const hello& door, const peer_handles& peer) {
  watch(peer);
  proving_ = true;
  send(servant_, peer_arrived{peer});
  send(peer.link, proof_atom::value,
       proof_of(self_.secret, proving_side::dialer, own, door));
}

void link::watch(const peer_handles& peer) {
  if (peer_) demonitor(peer_->link.address());
  peer_ = peer;
  monitor(peer_->link);  // one that is gone already says so at once
  heard_ = now();
}

void link::dial_failed(const std::string& why) {
  dialing_ = false;
  dial_at_ = now() + backoff(limits_.dial, ++failed_dials_, random_);
  if (why == last_failure_) return;
  last_failure_ = why;
  spdlog::warn("event=peer_not_reached peer={} reason=\"{}\"", peer_name_, why);
}

void link::arrive(const peer_handles& peer, const char* how) {
  dialing_ = proving_ = false;
  peer_leaves_ = false;
  failed_dials_ = 0;
  last_failure_.clear();
  heard_ = now();
  const bool known = peer_ && peer_->link == peer.link;
  if (known && up_) return send(peer_->link, alive_atom::value);
  if (!known) watch(peer);
  up_ = true;
  status_.up = true;
  spdlog::info("event=peer_arrived peer={} how=\"{}\"", peer_name_, how);
  // The servant first: what the peer asks in answer finds it ready.
  send(servant_, peer_arrived{*peer_});
  send(caller_, peer_arrived{*peer_});
  send(peer_->link, alive_atom::value);
}

void link::lose(time_point since, const char* why) {
  if (!std::exchange(up_, false)) return;
  status_.up = false;
  spdlog::warn("event=peer_lost peer={} reason=\"{}\"", peer_name_, why);
  send(caller_, peer_lost{since});
}

void link::gone() {
  lose(now(), "its connection ended");
  peer_.reset();
  peer_leaves_ = proving_ = dialing_ = false;
  dial_at_ = now();
  if (self_.node > peer_name_) dial_at_ += limits_.yield;
}

bool link::may_dial() const {
  return dialer_ && !peer_ && !dialing_ && !leaving_ && now() >= dial_at_;
}

void link::sweep() {
  delayed_send(this, limits_.alive_every, sweep_atom::value);
  if (peer_ && !leaving_) send(peer_->link, alive_atom::value);
  if (up_ && now() - heard_ > limits_.silence) lose(heard_, "it is silent");
  if (proving_ && now() - heard_ > limits_.handshake) {
    proving_ = false;
    demonitor(peer_->link.address());
    peer_.reset();
    dial_failed("it did not take our proof");
  }
  if (may_dial()) dial();
}

}  // namespace skanu
