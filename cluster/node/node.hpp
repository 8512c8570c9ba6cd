// One node: databases, journals, actors and the HTTP front of some services, in one process.
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
  std::string admin_address;  ///< Of the operators' own listener; empty: none.
  int admin_port = 0;
  std::string data = "./data";
  std::vector<service> services{std::begin(all_services), std::end(all_services)};
  std::int64_t max_store_bytes = 0;  ///< Of each database; 0: only the disk bounds it.
  cors_policy cors;
  std::vector<std::string> allowed_hosts;  ///< On loopback, besides its own names.
  std::size_t max_connections = 10'000;
  std::size_t max_connections_per_address = 0;  ///< And as many streams; 0: no such limit.
  stream_options streams;
  bool gateway = true;  ///< The front of all services, wherever they run; else of its own.
  /// The operator says that data was lost or restored: what is missing is gone on without, ids that
  /// may have been given are passed over, and forks of logs are accepted.
  bool restored = false;
  cluster_options cluster;
};

/// A running node. Made in the order port, databases, actors, front; where a step fails it throws
/// store_error, decode_error or std::system_error and leaves nothing behind.
class node {
 public:
  /// `faults` outlives the node. The calling thread's signal mask is inherited by every thread.
  node(const node_options& options, fault_plan& faults);
  /// Stops, if stop() did not.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// The port it listens on. From here on clients are served.
  int port() const;

  /// Accepts nothing more, finishes what it accepted, makes everything durable, and ends every
  /// actor. Blocks; bounded by a few deadlines of some seconds each.
  void stop();

 private:
  class parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace skanu
