// Serves reads and writes of cpp-httplib from memory.
#include "http/server/socket_stream.hpp"

#include <algorithm>
#include <cstring>

namespace skanu {

ssize_t socket_stream::read(char* target, size_t size) {
  const auto taken = std::min(size, input_.size());
  std::memcpy(target, input_.data(), taken);
  input_.remove_prefix(taken);
  return static_cast<ssize_t>(taken);
}

ssize_t socket_stream::write(const char* bytes, size_t size) {
  if (size > max_output_ || output_.size() > max_output_ - size) return -1;
  output_.append(bytes, size);
  return static_cast<ssize_t>(size);
}

void socket_stream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = endpoints_.remote.address;
  port = endpoints_.remote.port;
}

void socket_stream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip = endpoints_.local.address;
  port = endpoints_.local.port;
}

}  // namespace skanu
