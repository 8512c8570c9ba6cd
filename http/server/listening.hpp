// Listening sockets, and the addresses of a socket's two ends.
#pragma once

#include "http/server/endpoint.hpp"
#include "http/server/file_descriptor.hpp"

#include <sys/socket.h>

#include <cstddef>
#include <string>

namespace skanu {

/// Throws `std::system_error` of errno.
[[noreturn]] void throw_errno(const std::string& what);

/// Opens a non-blocking socket that listens at a host name or numeric address; port 0 takes a free
/// port. Throws `std::system_error` with address and port, and `address_in_use` for a taken port.
file_descriptor listen_at(const std::string& address, int port, int backlog);

/// Both return an empty endpoint where the system tells no address.
endpoint numeric_endpoint(const sockaddr_storage& address, socklen_t length);
endpoint local_endpoint(int socket);

/// Lets a listener complete the handshakes under way and begin no others: their clients try again
/// a second later. Returns false where the system does not filter.
bool ignore_new_handshakes(int listener);

/// Raises the soft limit of open files towards `wanted`, at most to the hard limit. Returns the
/// soft limit; throws `std::system_error`.
size_t raise_open_file_limit(size_t wanted);

}  // namespace skanu
