// The memory from which cpp-httplib reads a request and into which cpp-httplib writes the response.
// The connection reads the whole request before, and sends the whole response after.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace skanu {

/// A numeric address and a port.
struct endpoint {
  std::string address;
  int port = 0;
};

/// Looked up once per connection, not once per request.
struct connection_endpoints {
  endpoint remote;
  endpoint local;
};

/// Reads the bytes given to the constructor, and gathers written bytes in a single string, so that
/// a response costs a single `send`. The arguments must outlive the stream.
class socket_stream final : public httplib::Stream {
 public:
  using httplib::Stream::write;

  socket_stream(std::string_view input, std::string& output, size_t max_output,
                const connection_endpoints& endpoints)
      : input_{input}, output_{output}, max_output_{max_output}, endpoints_{endpoints} {}

  bool is_readable() const override { return !input_.empty(); }
  bool is_writable() const override { return output_.size() < max_output_; }

  ssize_t read(char* target, size_t size) override;
  /// Fails (-1) where the response would become longer than `max_output`.
  ssize_t write(const char* bytes, size_t size) override;

  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;

  /// Never a real descriptor: cpp-httplib answers 500 for descriptors above FD_SETSIZE (1024).
  socket_t socket() const override { return 0; }

 private:
  std::string_view input_;
  std::string& output_;
  size_t max_output_;
  const connection_endpoints& endpoints_;
};

}  // namespace skanu
