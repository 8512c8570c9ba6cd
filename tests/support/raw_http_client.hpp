// A test client that sends exactly the given bytes, well-formed or not.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace skanu {

struct raw_response {
  int status = 0;
  /// Names in lower case; the values of a repeated name are joined by ", ".
  std::map<std::string, std::string> headers;
  std::string body;

  bool closes() const {
    const auto connection = headers.find("connection");
    return connection != headers.end() && connection->second == "close";
  }
};

/// A connection to a loopback port. No call takes longer than ten seconds.
class raw_http_client {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds patience{10};

  /// `receive_buffer` is in bytes; 0: the system's default.
  explicit raw_http_client(int port, int receive_buffer = 0)
      : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    if (socket_ < 0) throw std::system_error{errno, std::generic_category(), "socket"};
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      const int error = errno;
      ::close(socket_);
      throw std::system_error{error, std::generic_category(), "connect"};
    }
  }
  raw_http_client(raw_http_client&& other) noexcept
      : socket_{std::exchange(other.socket_, -1)}, unread_{std::move(other.unread_)} {}
  raw_http_client& operator=(raw_http_client&&) = delete;
  ~raw_http_client() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// False after the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait_for(POLLOUT, clock::now() + patience)) return false;
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// Shuts down the sending direction.
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }

  /// The next response with its body; nullopt where the connection ends or the time runs out first.
  std::optional<raw_response> receive(bool without_body = false) {
    const auto deadline = clock::now() + patience;
    auto end = unread_.find("\r\n\r\n");
    while (end == std::string::npos) {
      if (!receive_more(deadline)) return std::nullopt;
      end = unread_.find("\r\n\r\n");
    }
    auto response = parse_head(std::string_view{unread_}.substr(0, end + 2));
    unread_.erase(0, end + 4);
    if (without_body || response.status < 200) return response;
    const auto length = response.headers.find("content-length");
    const size_t size = length == response.headers.end() ? 0 : std::stoul(length->second);
    while (unread_.size() < size) {
      if (!receive_more(deadline)) return std::nullopt;
    }
    response.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return response;
  }

  /// `send`, then `receive`.
  std::optional<raw_response> ask(std::string_view request) {
    send(request);
    return receive();
  }

  /// True where the server ends the connection in time, without further bytes.
  bool is_closed() { return receive_rest().empty() && ended_; }

  /// All bytes up to the end of the connection.
  std::string receive_rest() {
    const auto deadline = clock::now() + patience;
    while (receive_more(deadline)) {
    }
    return std::exchange(unread_, {});
  }

  /// True where bytes, or the end, arrive within `time`.
  bool hears_within(std::chrono::milliseconds time) {
    return !unread_.empty() || wait_for(POLLIN, clock::now() + time);
  }

 private:
  bool wait_for(short events, clock::time_point deadline) {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
      if (left.count() < 0) return false;
      pollfd waiting{socket_, events, 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

  bool receive_more(clock::time_point deadline) {
    std::array<char, 64 * 1024> bytes;
    if (!wait_for(POLLIN, deadline)) return false;
    const auto received = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (received <= 0) {
      ended_ = true;
      return false;
    }
    unread_.append(bytes.data(), static_cast<size_t>(received));
    return true;
  }

  static raw_response parse_head(std::string_view head) {
    raw_response response;
    response.status = std::stoi(std::string{head.substr(9, 3)});
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const auto line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(line.size() + 2);
      const auto colon = line.find(": ");
      std::string name{line.substr(0, colon)};
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      auto& value = response.headers[name];
      if (!value.empty()) value += ", ";
      if (colon != std::string_view::npos) value += line.substr(colon + 2);
    }
    return response;
  }

  int socket_;
  bool ended_ = false;
  std::string unread_;
};

}  // namespace skanu
