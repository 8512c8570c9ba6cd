#include "http/server/listening.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace skanu {
namespace {

file_descriptor connect_to(int listener) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  file_descriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), length);
  return client;
}

bool is_ready(int socket, short event) {
  pollfd one{socket, event, 0};
  return ::poll(&one, 1, 200) == 1;
}

TEST(Listening, ConnectionsBegunBeforeStayAndNewHandshakesWaitInsteadOfBeingRefused) {
  const auto listener = listen_at("127.0.0.1", 0, 8);
  const auto before = connect_to(listener.get());
  ASSERT_TRUE(is_ready(before.get(), POLLOUT));
  ASSERT_TRUE(ignore_new_handshakes(listener.get()));
  const file_descriptor accepted{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  ASSERT_TRUE(accepted);
  EXPECT_EQ(::send(before.get(), "hello", 5, 0), 5);
  char text[8];
  ASSERT_TRUE(is_ready(accepted.get(), POLLIN));
  EXPECT_EQ(::recv(accepted.get(), text, sizeof text, 0), 5);
  const auto late = connect_to(listener.get());
  EXPECT_FALSE(is_ready(late.get(), POLLOUT)) << "neither connected nor refused";
}

}  // namespace
}  // namespace skanu
