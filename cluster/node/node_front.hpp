// The HTTP front of a node: the listeners, the event streams, and the routes over the gateway.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/node/node_options.hpp"
#include "http/routes.hpp"
#include "http/server/server.hpp"
#include "http/streams/event_stream.hpp"

namespace skanu {

class node_front {
 public:
  /// Opens the listeners' ports, and serves nobody yet. Throws std::system_error.
  /// `seeds` outlives the front.
  node_front(const node_options& options, seed_source& seeds);
  node_front(const node_front&) = delete;
  node_front& operator=(const node_front&) = delete;

  int port() const { return port_; }
  event_stream& streams() { return streams_; }

  /// Serves clients and operators from now on. The view's question about a breaker elsewhere goes
  /// through the gateway, with the waits of all questions to the order service.
  void serve(service_directory services, actuator_view view, admin_view admin,
             std::optional<std::string> admin_token);

  /// Readiness is DOWN from now on, and each answer ends its connection. Still accepts requests.
  void begin_to_leave();
  /// Accepts no more requests, and finishes the accepted requests.
  void stop();
  /// Releases the handles of actors: the actor system must outlive every handle. Call after stop().
  void forget_services();

 private:
  void open_admin();
  void add_gauges(actuator_view& view);

  node_options options_;
  seed_source& seeds_;
  event_stream streams_;
  std::unique_ptr<gateway> gateway_;
  std::unique_ptr<front> front_;
  server server_;
  std::optional<server> admin_;
  int port_ = 0;
  std::atomic<bool> leaving_ = false;
};

}  // namespace skanu
