#include "cluster/protocol/reachable.hpp"

#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace skanu {

namespace {

using clock = std::chrono::steady_clock;

/// Waits for the end of a pending connect; returns 0 for an open connection, else its errno.
int outcome_of(int socket, clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd watched{socket, POLLOUT, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) return errno;
    return failure;
  }
}

/// 0, or its errno.
int try_to_connect(const addrinfo& to, clock::time_point until) {
  const int socket =
      ::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, to.ai_protocol);
  if (socket < 0) return errno;
  int failure = ::connect(socket, to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (failure == EINPROGRESS) failure = outcome_of(socket, until);
  ::close(socket);
  return failure;
}

}  // namespace

std::error_code why_unreachable(const std::string& host, std::uint16_t port,
                                std::chrono::milliseconds limit) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return std::make_error_code(std::errc::address_not_available);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(found, ::freeaddrinfo);
  const auto until = clock::now() + limit;
  int failure = EADDRNOTAVAIL;
  for (const auto* a = found; a != nullptr && failure != 0; a = a->ai_next)
    failure = try_to_connect(*a, until);
  return {failure, std::generic_category()};
}

bool reachable(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit) {
  return !why_unreachable(host, port, limit);
}

}  // namespace skanu
