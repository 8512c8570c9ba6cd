#include "cluster/program/service_manager.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace skanu {

namespace {

/// Returns the variable's value, perhaps empty, and removes the variable.
std::string taken(const char* variable) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet
  const char* const value = std::getenv(variable);
  std::string text = value != nullptr ? value : "";
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet
  ::unsetenv(variable);
  return text;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc{} && end == text.data() + text.size() ? value : 0;
}

/// Returns the address of a path, or of an abstract name with '@' for the first byte; empty for any
/// other text.
std::string address_of(const std::string& name) {
  sockaddr_un address{};
  if (name.size() < 2 || name.size() >= sizeof address.sun_path) return {};
  if (name.front() != '/' && name.front() != '@') return {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto size = offsetof(sockaddr_un, sun_path) + name.size() + (name.front() == '/' ? 1 : 0);
  return {reinterpret_cast<const char*>(&address), size};
}

}  // namespace

service_manager::service_manager() : address_(address_of(taken("NOTIFY_SOCKET"))) {
  const auto limit_us = number_in(taken("WATCHDOG_USEC"));
  const auto watched = taken("WATCHDOG_PID");
  if (address_.empty()) return;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool for_us = watched.empty() || number_in(watched) == ::getpid();
  if (limit_us > 0 && for_us) interval_ = std::chrono::milliseconds(limit_us / 2000 + 1);
}

service_manager::~service_manager() {
  if (socket_ >= 0) ::close(socket_);
}

void service_manager::tell(std::string_view state) const {
  if (socket_ < 0) return;
  ::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(address_.data()),
           static_cast<socklen_t>(address_.size()));
}

}  // namespace skanu
