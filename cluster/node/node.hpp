// A node: databases, journals, actors and the HTTP front of some services, in one process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/operations/faults.hpp"
#include "cluster/peers/peers.hpp"
#include "http/access/cors_policy.hpp"
#include "http/streams/broadcast.hpp"
#include "messages/values.hpp"

namespace skanu {

struct node_options {
  std::string address = "127.0.0.1";
  int port = 8088;
  std::string admin_address;  ///< Address of the operators' listener; empty for none.
  int admin_port = 0;
  std::string data = "./data";
  std::vector<service> services{std::begin(all_services), std::end(all_services)};
  /// Limit for each database in bytes; 0 leaves the limit to the disk.
  std::int64_t max_store_bytes = 0;
  cors_policy cors;
  std::vector<std::string> allowed_hosts;  ///< Answered on loopback besides loopback's names.
  std::size_t max_connections = 10'000;
  std::size_t max_connections_per_address = 0;  ///< Also limits streams; 0 sets no limit.
  stream_options streams;
  bool gateway = true;  ///< Serves the front of all services; otherwise only of local services.
  /// The operator declares data lost or restored. The node then starts despite missing data, skips
  /// order ids perhaps given before, and accepts forks of logs.
  bool restored = false;
  cluster_options cluster;
};

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

  /// Accepts no more requests, finishes the accepted requests, makes every commit durable, and ends
  /// all actors. Blocks for a few deadlines of some seconds each at most. A second call has no
  /// effect.
  void stop();

 private:
  class parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace skanu
