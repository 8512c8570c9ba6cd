// A node's knowledge of its cluster: the identity, the peers present, and the peers' order ids.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "messages/log.hpp"

namespace skanu {

/// Callbacks of a membership, on the thread of the actor that meets a peer.
struct membership_functions {
  /// Writes the cluster's identity to every database of the node.
  std::function<void(const std::string& cluster)> keep = {};
  /// False for a node without a database. Such a node forgets the identity with the last peer
  /// present, so that a gateway finds its own cluster after a stranger's visit.
  bool has_databases = true;
  /// Returns the order knowledge in the node's databases.
  std::function<order_knowledge()> orders = {};
  /// Takes a peer's order knowledge, before the first call to the peer.
  std::function<void(const std::string& peer, const order_knowledge&)> heard = {};
};

/// Shared by a node's acceptor and sessions. Thread-safe; calls the callbacks without holding the
/// mutex.
class membership {
 public:
  /// `cluster` is empty for a node without an identity. The first peer with an identity then passes
  /// the identity on. Only the node of the order service creates an identity, because all ids begin
  /// there.
  explicit membership(std::string cluster = {}, membership_functions f = {})
      : cluster_(std::move(cluster)), functions_(std::move(f)) {}

  std::string cluster() const {
    const std::lock_guard lock(mutex_);
    return cluster_;
  }
  order_knowledge orders() const {
    return functions_.orders ? functions_.orders() : order_knowledge{};
  }

  /// True if a node of the cluster may join: both identities are equal, or either is empty.
  bool admits(const std::string& cluster) const {
    const std::lock_guard lock(mutex_);
    return cluster.empty() || cluster_.empty() || cluster == cluster_;
  }

  /// Records an admitted peer with a proved secret, and adopts the peer's identity if the node has
  /// none.
  void meet(const std::string& peer, const std::string& cluster, const order_knowledge& orders) {
    bool joined = false;
    {
      const std::lock_guard lock(mutex_);
      here_.insert(peer);
      joined = cluster_.empty() && !cluster.empty();
      if (joined) cluster_ = cluster;
    }
    if (joined && functions_.keep) functions_.keep(cluster);
    if (functions_.heard) functions_.heard(peer, orders);
  }

  void left(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    here_.erase(peer);
    if (here_.empty() && !functions_.has_databases) cluster_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> here_;  ///< Names of the peers present.
  std::string cluster_;
  membership_functions functions_;
};

/// Returns the reason for the refusal of another cluster's node, from both identities.
inline std::string other_cluster(const std::string& its, const std::string& ours) {
  return "it belongs to another cluster (" + its + ", this node to " + ours +
         "): its data or this node's was lost or exchanged, see Restore in the README";
}

}  // namespace skanu
