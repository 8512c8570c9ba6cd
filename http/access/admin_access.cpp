#include "http/access/admin_access.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <strings.h>

#include <algorithm>

#include "http/format/digest.hpp"

namespace skanu {

namespace {

bool is_localhost(const std::string& name) { return ::strcasecmp(name.c_str(), "localhost") == 0; }

bool is_numeric(const std::string& address) {
  in6_addr any{};
  return ::inet_pton(AF_INET, address.c_str(), &any) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), &any) == 1;
}

/// Returns the name in "name", "name:port" or "[v6]:port", or an empty text for any other form.
std::string name_in(std::string_view host) {
  const bool bracket = host.starts_with('[');
  const auto end = bracket ? host.find(']') : host.find(':');
  if (bracket && end == host.npos) return {};
  const auto name = host.substr(bracket ? 1 : 0, end - (bracket ? 1 : 0));
  auto port = end == host.npos ? std::string_view{} : host.substr(end + (bracket ? 1 : 0));
  if (port.starts_with(':')) {
    port.remove_prefix(1);
  } else if (!port.empty()) {
    return {};
  }
  if (port.find_first_not_of("0123456789") != port.npos) return {};
  return std::string(name);
}

}  // namespace

bool is_loopback(const std::string& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return is_localhost(address);
}

bool is_meant_for_us(std::string_view host, std::string_view origin, bool loopback_only) {
  const auto name = name_in(host);
  if (loopback_only ? !is_loopback(name) : !is_localhost(name) && !is_numeric(name)) return false;
  return origin.empty() || origin == "http://" + std::string(host);
}

bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed) {
  const auto name = name_in(host);
  if (is_loopback(name)) return true;
  return !name.empty() && std::ranges::any_of(allowed, [&](const std::string& each) {
    return ::strcasecmp(each.c_str(), name.c_str()) == 0;
  });
}

bool brings_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size() ||
      ::strncasecmp(authorization.data(), scheme.data(), scheme.size()) != 0)
    return false;
  auto given = authorization.substr(scheme.size());
  while (given.starts_with(' ')) given.remove_prefix(1);
  const auto theirs = sha256(given), ours = sha256(token);
  return ::CRYPTO_memcmp(theirs.data(), ours.data(), ours.size()) == 0;
}

}  // namespace skanu
