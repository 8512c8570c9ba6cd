#include "http/access/admin_access.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <strings.h>

#include <algorithm>

#include "http/format/digest.hpp"
#include "http/format/host_field.hpp"

namespace skanu {

namespace {

bool is_localhost(const std::string& name) { return ::strcasecmp(name.c_str(), "localhost") == 0; }

bool is_numeric(const std::string& address) {
  in6_addr any{};
  return ::inet_pton(AF_INET, address.c_str(), &any) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), &any) == 1;
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
  const auto name = host_name(host).value_or("");
  if (loopback_only ? !is_loopback(name) : !is_localhost(name) && !is_numeric(name)) return false;
  return origin.empty() || origin == "http://" + std::string(host);
}

bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed) {
  const auto name = host_name(host).value_or("");
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
