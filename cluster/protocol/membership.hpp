// Which cluster a node belongs to, and what its peers know that it has to know.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "messages/log.hpp"

namespace skanu {

/// Called on the thread of whoever meets a peer.
struct membership_functions {
  /// Keeps the cluster's identity in every database of this node.
  std::function<void(const std::string& cluster)> keep = {};
  /// False for a node without a database: its identity ends with the last peer that is here, so a
  /// gateway that met a stranger first finds its own cluster once the stranger has gone.
  bool has_databases = true;
  /// What this node's databases know of orders.
  std::function<order_knowledge()> orders = {};
  /// A peer's, before anything is asked of that peer.
  std::function<void(const std::string& peer, const order_knowledge&)> heard = {};
};

/// Shared by a node's acceptor and sessions. Thread-safe; its functions are called without its
/// lock.
class membership {
 public:
  /// `cluster` is empty where this node has no identity yet: then the first peer that has one gives
  /// it. Only the node of the order service makes one, since all ids begin there.
  explicit membership(std::string cluster = {}, membership_functions f = {})
      : cluster_(std::move(cluster)), functions_(std::move(f)) {}

  std::string cluster() const {
    const std::lock_guard lock(mutex_);
    return cluster_;
  }
  order_knowledge orders() const {
    return functions_.orders ? functions_.orders() : order_knowledge{};
  }

  /// True where a node of that cluster is one of ours.
  bool admits(const std::string& cluster) const {
    const std::lock_guard lock(mutex_);
    return cluster.empty() || cluster_.empty() || cluster == cluster_;
  }

  /// Takes notice of a peer that proved itself and was admitted.
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
  std::set<std::string> here_;  ///< Names of the peers met that have not left.
  std::string cluster_;
  membership_functions functions_;
};

/// Why a node of another cluster is refused, given both identities.
inline std::string other_cluster(const std::string& its, const std::string& ours) {
  return "it belongs to another cluster (" + its + ", this node to " + ours +
         "): its data or this node's was lost or exchanged, see Restore in the README";
}

}  // namespace skanu
