// The actors between two nodes. START READING HERE for the cluster.
//
// For each peer a node has one session, which dials, recognises and watches it; one rpc_client,
// through which everything that this node asks of the peer goes; and one rpc_server, which answers
// what the peer asks. Nobody else holds a handle of another node.
//
//        this node                                     peer
//   regions, logs, readers ──▶ rpc_client ── call ──▶ rpc_server ──▶ regions, logs, readers ──▶
//   stores
//                              rpc_client ◀─ answer ── rpc_server
//                              session ◀── alive ──▶ session
//
// CAF carries messages at most once and says nothing of those that are lost. So the rpc_client
// keeps each call until it is answered, sends it again when the peer is back, and gives up at its
// deadline. A repeat is harmless: changes have operation ids or natural keys.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "cluster/protocol/wire.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

/// A connector's word in the place of its proof, where the acceptor's certificate is another
/// node's: so that both sides say so in their logs.
inline constexpr std::string_view certificate_refused = "your certificate names another node";

using call_atom = caf::atom_constant<caf::atom("call")>;
using reply_atom = caf::atom_constant<caf::atom("reply")>;
using grown_atom = caf::atom_constant<caf::atom("grown")>;
using alive_atom = caf::atom_constant<caf::atom("alive")>;
using bye_atom = caf::atom_constant<caf::atom("bye")>;
using hello_atom = caf::atom_constant<caf::atom("hello")>;
using proof_atom = caf::atom_constant<caf::atom("proof")>;
using enter_atom = caf::atom_constant<caf::atom("enter")>;
using read_atom = caf::atom_constant<caf::atom("read")>;
using dial_atom = caf::atom_constant<caf::atom("dial")>;
using call_number = std::uint64_t;

// What a peer may say to this node's actors.

using remote_client_actor = caf::typed_actor<
    // From the peer's rpc_server: the answer to a call.
    caf::reacts_to<reply_atom, call_number, std::string>,
    // From the peer's rpc_server: the log of that service has grown.
    caf::reacts_to<grown_atom, std::uint8_t>>;

using remote_server_actor = caf::typed_actor<
    // From the peer's rpc_client: a call.
    caf::reacts_to<call_atom, call_number, std::string>>;

using remote_session_actor = caf::typed_actor<
    // From the peer's session, several times a second, and first when it begins to take our calls.
    caf::reacts_to<alive_atom>,
    // The same of a peer from protocol version 4 on: with its clock, milliseconds since 1970.
    caf::reacts_to<alive_atom, std::int64_t>,
    // From the peer's session: it takes no more calls, and is about to end.
    caf::reacts_to<bye_atom>>;

struct peer_handles {
  remote_session_actor session;
  remote_client_actor rpc_client;
  remote_server_actor rpc_server;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_handles& h) {
  return f(caf::meta::type_name("skanu::peer_handles"), h.session, h.rpc_client, h.rpc_server);
}

/// What is published: where peers introduce themselves.
using acceptor_actor = caf::typed_actor<
    // From a dialing session: its hello and its handles. Answers with this node's hello, and in
    // protocol version 3 with its proof, else an empty one: the connector proves first.
    caf::replies_to<hello_atom, std::string, peer_handles>::with<std::string, std::string>,
    // From a dialing session: the nonce of that answer, and its own proof. Answers with this node's
    // proof and handles for that peer, which from then on may call.
    caf::replies_to<enter_atom, std::string, std::string>::with<std::string, peer_handles>,
    // The same in protocol version 3, where the proof was given before.
    caf::replies_to<proof_atom, std::string, std::string>::with<peer_handles>>;

// What this node's own actors say to each other.

/// A call of this node to a peer.
struct outgoing_call {
  call_body body;
  /// Takes the answer, or the error that there is none: service_away where it certainly was not
  /// carried out, outcome_unknown where it may have been. Called once, on the rpc_client's thread;
  /// must not block.
  std::function<void(answer_body)> take;
  /// When it gives up, if before a call's own deadline.
  std::optional<std::chrono::steady_clock::time_point> until = {};
};

/// What a peer reads here.
struct peer_read {
  const store* from = nullptr;
  read_body what;
  std::chrono::steady_clock::time_point until;  ///< Nobody waits for it any longer.
  std::uint32_t protocol = protocol_version;    ///< That the peer speaks.
};

/// The peer is there: where calls go.
struct peer_arrived {
  peer_handles peer;
  std::uint32_t protocol = protocol_version;  ///< That both sides speak.
};

/// The peer is gone, silent or leaving, since then.
struct peer_lost {
  std::chrono::steady_clock::time_point since;
};

/// A command of the peer was carried out here, or not.
struct command_carried_out {
  std::int64_t command = 0;  ///< Numbered by the rpc_server.
  outcome result = {};
};

/// A peer that dialed and knows the secret.
struct peer_offer {
  peer_handles connector;
  std::uint64_t incarnation = 0;
  std::uint32_t protocol = protocol_version;
};

}  // namespace skanu

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::outgoing_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::peer_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::peer_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::peer_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::peer_offer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(skanu::command_carried_out)

namespace skanu {

/// Makes this node's calls to one peer.
using rpc_client_actor = remote_client_actor::extend<
    // Make this call; refused at once where too many wait, or the peer has been away for long.
    caf::reacts_to<outgoing_call>,
    // From a log's stand-in on this node: part of that service's log.
    caf::replies_to<pull_atom, service, log_query>::with<event_batch>,
    // From a log's stand-in on this node: tell it when that service's log has grown.
    caf::reacts_to<follow_atom, service, event_log_actor>,
    // From the session: the peer is there, or not.
    caf::reacts_to<peer_arrived>, caf::reacts_to<peer_lost>,
    // From itself: looks for calls whose time is over.
    caf::reacts_to<sweep_atom>>;

/// Reads what is durable here, for the rpc_servers.
using reader_actor = caf::typed_actor<
    // From a rpc_server: answers with the encoded answer to the peer.
    caf::replies_to<read_atom, peer_read>::with<std::string>>;

/// Answers one peer's calls from what runs on this node.
using rpc_server_actor = remote_server_actor::extend<
    // From an entity or its journal: the answer to a command.
    caf::reacts_to<command_carried_out>,
    // From a log of this node: it has grown.
    caf::reacts_to<hint_atom, service>,
    // From the session: the peer is there.
    caf::reacts_to<peer_arrived>,
    // The node leaves: answers once no call is being carried out any more.
    caf::replies_to<leave_atom>::with<bool>>;

/// Owns the connection to one peer.
using peer_session_actor = remote_session_actor::extend<
    // From the acceptor: the peer dialed. False where another run of it is here, and speaks.
    caf::replies_to<peer_offer>::with<bool>,
    // From this node: say bye to the peer, and dial no more.
    caf::reacts_to<leave_atom>,
    // From itself: tells the peer that it lives, looks whether the peer does, dials where there is
    // none.
    caf::reacts_to<sweep_atom>>;

/// Finds the acceptor of one peer.
using connector_actor = caf::typed_actor<
    // Answers with the peer's acceptor.
    caf::replies_to<dial_atom>::with<acceptor_actor>>;

/// What is known of a peer, for operators; any thread may read it.
struct peer_status {
  std::atomic<bool> up = false;
  /// Where it is not up: since when, by CAF's clock.
  std::atomic<std::chrono::steady_clock::time_point> away_since;
  /// How far its clock is before this node's, in milliseconds.
  std::atomic<std::int64_t> clock_offset_ms = 0;
};

}  // namespace skanu
