#include "http/server/listening.hpp"

#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace skanu {
namespace {

/// Bytes; the kernel doubles the value for bookkeeping. A page of 20 items goes out in a single
/// piece.
constexpr int send_buffer = 64 * 1024;

file_descriptor listen_on(const addrinfo& address, int backlog) {
  file_descriptor listener{
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!listener) return listener;
  const int yes = 1;
  // SO_REUSEPORT is left out: a second server would share the port silently. Accepted sockets
  // inherit the options set here.
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  ::setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  // Without a bound the kernel lets each buffer grow to megabytes, even for clients that never
  // read.
  ::setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  if (::bind(listener.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(listener.get(), backlog) != 0) {
    const int error = errno;
    listener.reset();
    errno = error;
  }
  return listener;
}

}  // namespace

void throw_errno(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

endpoint numeric_endpoint(const sockaddr_storage& address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(),
                    service.data(), service.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return {host.data(), std::atoi(service.data())};
}

endpoint local_endpoint(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return numeric_endpoint(address, length);
}

file_descriptor listen_at(const std::string& address, int port, int backlog) {
  const auto place = address + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw std::system_error{std::make_error_code(std::errc::address_not_available),
                            "cannot listen on " + place + " (" + ::gai_strerror(error) + ")"};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
  file_descriptor listener;
  for (const auto* each = found; each && !listener; each = each->ai_next) {
    listener = listen_on(*each, backlog);
  }
  if (!listener) throw_errno("cannot listen on " + place);
  return listener;
}

bool ignore_new_handshakes(int listener) {
  constexpr uint32_t flags_offset = 13, syn = 0x02, ack = 0x10, drop = 0, pass = ~0U;
  std::array code{
      sock_filter BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_offset),
      sock_filter BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn | ack),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, drop),
      sock_filter BPF_STMT(BPF_RET | BPF_K, pass),
  };
  const sock_fprog program{code.size(), code.data()};
  return ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

size_t raise_open_file_limit(size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("getrlimit");
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("setrlimit");
  }
  return limit.rlim_cur;
}

}  // namespace skanu
