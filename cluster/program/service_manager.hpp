// Tells a service manager such as systemd that the process is ready, alive or stopping.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Speaks sd_notify(3)'s protocol: datagrams to the socket that NOTIFY_SOCKET names. Without that
/// variable, every call does nothing. A datagram that cannot be sent is not repeated: the manager
/// has its own deadlines.
class service_manager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes all three out of the
  /// environment.
  service_manager();
  service_manager(const service_manager&) = delete;
  service_manager& operator=(const service_manager&) = delete;
  ~service_manager();

  void ready() const { tell("READY=1"); }
  void stopping() const { tell("STOPPING=1"); }
  void alive() const { tell("WATCHDOG=1"); }

  /// Time between calls of alive(): half of the manager's limit. nullopt if no watchdog runs.
  std::optional<std::chrono::milliseconds> watchdog_interval() const { return interval_; }

 private:
  void tell(std::string_view state) const;

  int socket_ = -1;
  std::string address_;  ///< Bytes of a sockaddr_un.
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace skanu
