// A stream's frames, and the other end of a subscriber's socket.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <string>

#include "http/streams/broadcast.hpp"

namespace skanu {

/// A frame whose text is only the offset, for easy comparison.
inline stream_frame frame(log_offset offset, entity_id id = 1, std::uint8_t status = 1,
                          std::size_t size = 0) {
  auto text = "<" + std::to_string(offset) + ">";
  if (text.size() < size) text.append(size - text.size(), '.');
  return {offset, id, status, std::move(text)};
}

inline std::vector<stream_frame> frames(log_offset from, log_offset to, entity_id id = 1) {
  std::vector<stream_frame> list;
  for (auto offset = from; offset <= to; ++offset) list.push_back(frame(offset, id));
  return list;
}

/// "<from>…<to>"
inline std::string text_of(log_offset from, log_offset to) {
  std::string text;
  for (const auto& f : frames(from, to)) text += f.text;
  return text;
}

class stream_peer {
 public:
  stream_peer() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0)
      throw std::runtime_error("socketpair");
    mine_ = file_descriptor(pair[0]);
    theirs_ = file_descriptor(pair[1]);
  }

  /// Gives up the subscriber's end of the socket pair.
  file_descriptor give() { return std::move(theirs_); }

  /// All bytes received so far.
  std::string read() {
    std::string all;
    std::array<char, 65'536> bytes;
    for (;;) {
      const auto n = ::recv(mine_.get(), bytes.data(), bytes.size(), 0);
      if (n == 0) closed_ = true;
      if (n <= 0) return all;
      all.append(bytes.data(), static_cast<std::size_t>(n));
    }
  }
  /// True once the other side has closed, and all its bytes are read.
  bool closed() {
    read();
    return closed_;
  }
  /// True once read() has seen the end.
  bool ended() const { return closed_; }
  void close() { mine_.reset(); }

  int socket() const { return mine_.get(); }

 private:
  file_descriptor mine_, theirs_;
  bool closed_ = false;
};

}  // namespace skanu
