// CAF's middleman, extended by checks of incoming connections and messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/io/all.hpp>

namespace skanu {

/// Limit of a message between nodes, in bytes. The largest messages are pages of 1,000 items and
/// batches of a log.
inline constexpr std::uint32_t largest_node_message = 32 * 1024 * 1024;

/// Limit of a message from a peer without a proof of the cluster's secret, in bytes. A hello with
/// handles has some hundred bytes.
inline constexpr std::uint32_t largest_strange_message = 64 * 1024;

/// Limits of accepted connections without a proof: a further connection evicts the oldest, and each
/// must prove the secret within the time, TLS handshake included.
inline constexpr std::size_t most_strange_connections = 64;
inline constexpr std::chrono::seconds strange_connection_kept{5};

/// True if a node may send the header: the payload has at most `largest` bytes, and a handshake has
/// a payload. CAF allocates as much memory as a header announces, and ends the process at an empty
/// handshake; a scanner or a misdirected program at the port must cause neither.
bool is_from_a_node(const caf::io::basp::header& header,
                    std::uint32_t largest = largest_node_message);

/// Reports a peer with a proved secret to the broker: the peer's connections may then carry
/// messages of largest_node_message bytes. The broker handles the notice before any message sent
/// later by the rpc_client. The acceptor and the sessions call the function; without CAF's
/// middleman the call has no effect.
void note_proved(caf::scheduled_actor& by, const caf::node_id& peer);

/// True if the peer may use the node name. Over TLS the certificates of the peer's connections must
/// name the node: the cluster's authority signs the certificates of all nodes. Thread-safe.
bool may_be(caf::actor_system& system, const caf::node_id& peer, const std::string& name);

/// Certificates shown over CAF's open connections. Thread-safe.
class peer_certificates {
 public:
  using names = std::optional<std::vector<std::string>>;
  void note(caf::io::connection_handle over, const caf::node_id& peer, names shown);
  void forget(caf::io::connection_handle over);
  /// True if the peer has a connection and the certificates of all the peer's connections name the
  /// node.
  bool name(const caf::node_id& peer, const std::string& node) const;

 private:
  struct certificate_of {
    caf::node_id peer;
    names shown;
  };
  mutable std::mutex mutex_;
  std::unordered_map<caf::io::connection_handle, certificate_of> shown_;
};

/// Replaces CAF's middleman, and closes connections with messages foreign to a node or without a
/// timely proof of the secret.
class guarded_middleman : public caf::io::middleman {
 public:
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  peer_certificates certificates;

 protected:
  using caf::io::middleman::middleman;
};

}  // namespace skanu
