// CAF's middleman, with a watch over what comes in from other nodes.
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

/// More than any message between nodes: the largest are pages of 1,000 items, and batches of a log.
inline constexpr std::uint32_t largest_node_message = 32 * 1024 * 1024;

/// The same before a peer has proved the cluster's secret: its hello and its handles are some
/// hundred bytes.
inline constexpr std::uint32_t largest_strange_message = 64 * 1024;

/// Connections that were accepted and whose peers have not proved themselves: the oldest makes
/// room, and each has so long, its TLS handshake included.
inline constexpr std::size_t most_strange_connections = 64;
inline constexpr std::chrono::seconds strange_connection_kept{5};

/// Whether a node says so. CAF would take as much memory as a header announces, and end the process
/// at an empty handshake: whatever else speaks to the port (a scanner, a program that was told the
/// wrong port) must do neither.
bool is_from_a_node(const caf::io::basp::header& header,
                    std::uint32_t largest = largest_node_message);

/// Said by this node's acceptor and sessions: the peer on that node of CAF's has proved itself.
/// What comes over its connections from now on may be as large as a node's messages are. Of what
/// the rpc_client sends afterwards nothing goes out before that holds. Nothing to do where CAF has
/// no middleman.
void note_proved(caf::scheduled_actor& by, const caf::node_id& peer);

/// Whether that peer may call itself so. Over TLS its certificate must name it: any certificate of
/// the cluster's authority would do as any node otherwise. Any thread.
bool may_be(caf::actor_system& system, const caf::node_id& peer, const std::string& name);

/// What was shown over CAF's connections as they come and go. Thread-safe.
class peer_certificates {
 public:
  using names = std::optional<std::vector<std::string>>;
  void note(caf::io::connection_handle over, const caf::node_id& peer, names shown);
  void forget(caf::io::connection_handle over);
  /// Over every connection of whoever calls itself that peer, and over one at least.
  bool name(const caf::node_id& peer, const std::string& node) const;

 private:
  struct certificate_of {
    caf::node_id peer;
    names shown;
  };
  mutable std::mutex mutex_;
  std::unordered_map<caf::io::connection_handle, certificate_of> shown_;
};

/// Loaded in the place of CAF's own: the same, but that it closes connections that do not speak as
/// a node does, or whose peers do not prove themselves in time.
class guarded_middleman : public caf::io::middleman {
 public:
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  peer_certificates certificates;

 protected:
  using caf::io::middleman::middleman;
};

}  // namespace skanu
