// The actors between two nodes. START READING HERE for the cluster.
//
// For each peer a node has three actors. The session dials, recognises and watches the peer. The
// rpc_client sends the node's calls to the peer. The rpc_server answers the calls of the peer.
// No other actor holds a handle of another node.
//
//           the node                                     peer
//   regions, logs, ──▶ rpc_client ─── call ──▶ rpc_server ──▶ regions, logs,
//   readers            rpc_client ◀─ answer ── rpc_server     readers, stores
//                      session    ◀─ alive ──▶ session
//
// CAF delivers a message at most once and does not report a lost message. So the rpc_client keeps
// each call until the answer comes, sends the call again when the peer returns, and gives up at the
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

/// Text sent by a connector in place of a proof if the acceptor's certificate belongs to another
/// node: both sides then log the reason.
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

// Messages from a peer to local actors.

using remote_client_actor = caf::typed_actor<
    // From the peer's rpc_server: the answer to a call.
    caf::reacts_to<reply_atom, call_number, std::string>,
    // From the peer's rpc_server: the log of the service has grown.
    caf::reacts_to<grown_atom, std::uint8_t>>;

using remote_server_actor = caf::typed_actor<
    // From the peer's rpc_client: a call.
    caf::reacts_to<call_atom, call_number, std::string>>;

using remote_session_actor = caf::typed_actor<
    // From the peer's session, several times a second; the peer accepts calls from the first on.
    caf::reacts_to<alive_atom>,
    // The same from protocol version 4 on, with the peer's clock in milliseconds since 1970.
    caf::reacts_to<alive_atom, std::int64_t>,
    // From the peer's session: the peer accepts no more calls and is about to end.
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

/// The published actor for introductions of peers.
using acceptor_actor = caf::typed_actor<
    // From a dialing session: the connector's hello and handles. Answers with the acceptor's hello,
    // and with the acceptor's proof in protocol version 3 or an empty text later: the connector
    // proves first.
    caf::replies_to<hello_atom, std::string, peer_handles>::with<std::string, std::string>,
    // From a dialing session: the nonce of the acceptor's hello, and the connector's proof. Answers
    // with the acceptor's proof and handles; from then on the peer may call.
    caf::replies_to<enter_atom, std::string, std::string>::with<std::string, peer_handles>,
    // The same in protocol version 3, after the acceptor's proof.
    caf::replies_to<proof_atom, std::string, std::string>::with<peer_handles>>;

// Messages among local actors.

/// A call of this node to a peer.
struct outgoing_call {
  call_body body;
  /// Takes the answer or an error: service_away if the peer certainly did not carry out the call,
  /// outcome_unknown if the peer may have. Called once, on the rpc_client's thread; must not block.
  std::function<void(answer_body)> take;
  /// An earlier deadline than the default.
  std::optional<std::chrono::steady_clock::time_point> until = {};
};

/// A peer's read of a local store.
struct peer_read {
  const store* from = nullptr;
  read_body what;
  std::chrono::steady_clock::time_point until;  ///< The peer gives up then.
  std::uint32_t protocol = protocol_version;    ///< Version of the peer.
};

/// The peer accepts calls at `peer`.
struct peer_arrived {
  peer_handles peer;
  std::uint32_t protocol = protocol_version;  ///< Version common to both sides.
};

/// The peer has been gone, silent or leaving since then.
struct peer_lost {
  std::chrono::steady_clock::time_point since;
};

/// The outcome of a peer's command.
struct command_carried_out {
  std::int64_t command = 0;  ///< Numbered by the rpc_server.
  outcome result = {};
};

/// A dialing peer with a proved secret.
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

/// Sends the node's calls to a peer.
using rpc_client_actor = remote_client_actor::extend<
    // Makes the call, or refuses at once if too many calls wait or the peer has been away for long.
    caf::reacts_to<outgoing_call>,
    // From a log's local stand-in: pulls a part of the service's log.
    caf::replies_to<pull_atom, service, log_query>::with<event_batch>,
    // From a log's local stand-in: subscribes to growth of the service's log.
    caf::reacts_to<follow_atom, service, event_log_actor>,
    // From the session: the peer has arrived, or is lost.
    caf::reacts_to<peer_arrived>, caf::reacts_to<peer_lost>,
    // From itself: gives up calls past the deadline.
    caf::reacts_to<sweep_atom>>;

/// Reads durable local data for the rpc_servers.
using reader_actor = caf::typed_actor<
    // From an rpc_server: answers with the encoded answer to the peer.
    caf::replies_to<read_atom, peer_read>::with<std::string>>;

/// Answers a peer's calls with the local services.
using rpc_server_actor = remote_server_actor::extend<
    // From an entity or the journal: the answer to a command.
    caf::reacts_to<command_carried_out>,
    // From a local log: the log has grown.
    caf::reacts_to<hint_atom, service>,
    // From the session: the peer has arrived.
    caf::reacts_to<peer_arrived>,
    // The node leaves: answers after the last call has ended.
    caf::replies_to<leave_atom>::with<bool>>;

/// Owns the connection to one peer.
using peer_session_actor = remote_session_actor::extend<
    // From the acceptor: the peer dialed. Answers false if another run of the peer is connected and
    // not silent.
    caf::replies_to<peer_offer>::with<bool>,
    // From the node: says bye to the peer and stops dialing.
    caf::reacts_to<leave_atom>,
    // From itself: sends a sign of life, checks the peer's, and dials an absent peer.
    caf::reacts_to<sweep_atom>>;

/// Connects to the acceptor of a peer.
using connector_actor = caf::typed_actor<
    // Answers with the peer's acceptor.
    caf::replies_to<dial_atom>::with<acceptor_actor>>;

/// State of a peer, for operators. Any thread may read the members.
struct peer_status {
  std::atomic<bool> up = false;
  /// Start of the absence by CAF's clock, while `up` is false.
  std::atomic<std::chrono::steady_clock::time_point> away_since;
  /// Lead of the peer's clock over the local clock, in milliseconds.
  std::atomic<std::int64_t> clock_offset_ms = 0;
};

}  // namespace skanu
