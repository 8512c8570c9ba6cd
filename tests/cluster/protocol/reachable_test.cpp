// Test of an address for a listener. Network namespaces test addresses that swallow packets.
#include "cluster/protocol/reachable.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace skanu {
namespace {

using std::chrono::milliseconds;

/// A socket bound to a free port of 127.0.0.1.
class bound_socket {
 public:
  bound_socket() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    port = ntohs(at.sin_port);
  }
  bound_socket(const bound_socket&) = delete;
  bound_socket& operator=(const bound_socket&) = delete;
  ~bound_socket() { ::close(socket_); }

  void listen() { EXPECT_EQ(::listen(socket_, 8), 0); }
  /// True where a client has connected and closed again.
  bool was_visited() {
    const int guest = ::accept(socket_, nullptr, nullptr);
    char byte = 0;
    const bool closed = guest >= 0 && ::read(guest, &byte, 1) == 0;
    if (guest >= 0) ::close(guest);
    return closed;
  }

  std::uint16_t port = 0;

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

TEST(reachable, a_port_that_is_listened_at_is_reached_and_left) {
  bound_socket acceptor;
  acceptor.listen();
  EXPECT_TRUE(reachable("127.0.0.1", acceptor.port, milliseconds(1'000)));
  EXPECT_TRUE(acceptor.was_visited());
  EXPECT_TRUE(reachable("localhost", acceptor.port, milliseconds(1'000)));
}

TEST(reachable, a_port_that_nobody_listens_at_is_given_up_at_once_and_the_reason_is_the_true_one) {
  const bound_socket taken;  // keeps the port free of listeners
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(reachable("127.0.0.1", taken.port, milliseconds(20'000)));
  EXPECT_EQ(why_unreachable("127.0.0.1", taken.port, milliseconds(20'000)),
            std::errc::connection_refused);
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(10'000));
}

TEST(reachable, what_is_no_address_is_not_reached) {
  EXPECT_FALSE(reachable("", 1, milliseconds(1)));
  EXPECT_FALSE(reachable("300.300.300.300", 1, milliseconds(1)));
}

}  // namespace
}  // namespace skanu
