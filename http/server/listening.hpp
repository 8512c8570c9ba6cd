// A socket that clients connect to, and the addresses at its ends.
#pragma once

#include "http/server/file_descriptor.hpp"
#include "http/server/socket_stream.hpp"

#include <sys/socket.h>

#include <cstddef>
#include <string>

namespace skanu {

/// Throws `std::system_error` of errno.
[[noreturn]] void throw_errno(const std::string& what);

/// A non-blocking socket that listens at a host name or numeric address; port 0 takes a free one.
/// Throws `std::system_error` that names the place, with `address_in_use` for a port that is taken.
file_descriptor listen_at(const std::string& address, int port, int backlog);

/// Empty where the system does not say.
endpoint numeric_endpoint(const sockaddr_storage& address, socklen_t length);
endpoint local_endpoint(int socket);

/// Raises the soft limit of open files towards `wanted`, as far as it goes, and returns it.
size_t raise_open_file_limit(size_t wanted);

}  // namespace skanu
