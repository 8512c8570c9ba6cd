// Access to /admin: the request must name this address and come from no other site.
#include "http/access/admin_access.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

TEST(admin_access, a_loopback_host_is_meant_for_us) {
  for (const auto* host : {"localhost", "LocalHost:8088", "127.0.0.1", "127.0.0.1:8088",
                           "127.1.2.3:1", "[::1]", "[::1]:8088"})
    EXPECT_TRUE(is_meant_for_us(host, "", true)) << host;
}

TEST(admin_access, a_name_that_was_made_to_point_at_loopback_is_not) {
  for (const auto* host :
       {"", "evil.example", "evil.example:8088", "localhost.evil.example", "127.0.0.1.evil.example",
        "127.0.0.1:8088.evil.example", "localhost:x", "localhost@evil.example", "[::1", "[::1]evil",
        "::1", "10.0.0.1:8088", "[2001:db8::1]:8088", "127.1", "2130706433", "localhost."})
    EXPECT_FALSE(is_meant_for_us(host, "", true)) << host;
}

TEST(admin_access, a_port_of_its_own_is_known_by_its_address) {
  for (const auto* host : {"10.0.0.1:9000", "[2001:db8::1]:9000", "localhost:9000"})
    EXPECT_TRUE(is_meant_for_us(host, "", false)) << host;
  for (const auto* host : {"", "evil.example:9000", "admin:9000"})
    EXPECT_FALSE(is_meant_for_us(host, "", false)) << host;
}

TEST(admin_access, another_sites_page_is_not_the_same_origin) {
  EXPECT_TRUE(is_meant_for_us("localhost:8088", "http://localhost:8088", true));
  for (const auto* origin :
       {"null", "http://evil.example", "http://localhost", "http://localhost:80",
        "https://localhost:8088", "http://localhost:8088.evil.example"})
    EXPECT_FALSE(is_meant_for_us("localhost:8088", origin, true)) << origin;
}

TEST(admin_access, a_token_is_the_whole_token) {
  for (const auto* right : {"Bearer secret", "bearer secret", "BEARER   secret"})
    EXPECT_TRUE(brings_token(right, "secret")) << right;
  for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearersecret", "secret", "Basic secret",
                            "Bearer secre", "Bearer secrets", "Bearer Secret", "Bearer secret "})
    EXPECT_FALSE(brings_token(wrong, "secret")) << wrong;
}

TEST(admin_access, a_name_that_was_made_to_point_at_loopback_placed_orders) {
  const std::vector<std::string> named{"Shop.example", "10.0.0.7"};
  for (const auto* host : {"localhost", "LOCALHOST:1", "127.0.0.1:8088", "127.9.9.9", "[::1]:8088",
                           "shop.example", "SHOP.EXAMPLE:8088", "10.0.0.7:8088"})
    EXPECT_TRUE(is_allowed_host(host, named)) << host;
  for (const auto* host : {"", "evil.example", "evil.example:8088", "shop.example.evil.example",
                           "shop.example:x", "shop.example@evil.example", "10.0.0.8", "0.0.0.0",
                           "localhost.", "[::2]", "127.0.0.1.evil.example"})
    EXPECT_FALSE(is_allowed_host(host, named)) << host;
}

}  // namespace
}  // namespace skanu
