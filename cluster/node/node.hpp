// A node: databases, journals, actors and the HTTP front of some services, in one process.
#pragma once

#include <memory>

#include "actors/operations/faults.hpp"
#include "cluster/node/node_options.hpp"

namespace skanu {

/// A running node. The constructor opens the port, the databases, the actors and the front in this
/// order. If a step fails, the constructor throws store_error, decode_error or std::system_error,
/// and releases the earlier steps.
class node {
 public:
  /// `faults` must outlive the node. Every thread inherits the calling thread's signal mask.
  node(const node_options& options, fault_plan& faults);
  /// Calls stop().
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Returns the port of the HTTP front. The front serves clients from construction on.
  int port() const;

  /// Returns false while a database is closed after a failure. May open the database again.
  bool is_alive();

  /// Announces stop() to clients and their proxies, and goes on serving: readiness is DOWN, and
  /// each answer ends its connection.
  void begin_to_leave();

  /// Accepts no more requests, finishes the accepted requests, makes every commit durable, and ends
  /// all actors. The waits for requests, peers and the checkout have deadlines of a few seconds
  /// each. The last waits, for the end of the actors and of the journals, have none: a disk without
  /// an answer blocks the call until the caller's process is killed, and a kill loses nothing that
  /// was answered. A second call has no effect.
  void stop();

 private:
  class parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace skanu
