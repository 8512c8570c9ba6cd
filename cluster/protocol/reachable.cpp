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

/// Waits for the end of a pending connect; true if the connection is open.
bool stands(int socket, clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
    if (left <= 0) return false;
    pollfd watched{socket, POLLOUT, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    int failure = 0;
    socklen_t size = sizeof failure;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
  }
}

}  // namespace

bool reachable(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(found, ::freeaddrinfo);
  const auto until = clock::now() + limit;
  for (const auto* a = found; a != nullptr; a = a->ai_next) {
    const int socket =
        ::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (socket < 0) continue;
    const bool connected = ::connect(socket, a->ai_addr, a->ai_addrlen) == 0 ||
                           (errno == EINPROGRESS && stands(socket, until));
    ::close(socket);
    if (connected) return true;
  }
  return false;
}

}  // namespace skanu
