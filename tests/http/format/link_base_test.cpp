// The front of links: a public URL, or the word of a trusted proxy.
#include "http/format/link_base.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace skanu {
namespace {

struct row {
  const char* given;
  const char* base;
};

TEST(link_base, a_public_url_has_a_scheme_a_host_and_perhaps_a_path) {
  for (const auto& r :
       std::vector<row>{{"https://shop.example", "https://shop.example"},
                        {"https://shop.example/", "https://shop.example"},
                        {"http://[::1]:8088", "http://[::1]:8088"},
                        {"HTTPS://shop.example:443/coffee//", "HTTPS://shop.example:443/coffee"}})
    EXPECT_EQ(public_url_of(r.given), r.base) << r.given;
  for (const auto* wrong :
       {"", "/", "shop.example", "ftp://shop.example", "https://", "https:///a", "https://:80",
        "https://user@shop.example", "https://shop.example/?a", "https://shop.example/a b",
        "https://shop.example/\"", "https://shop.example:99999", "https://shop.example#a"})
    EXPECT_EQ(public_url_of(wrong), std::nullopt) << wrong;
}

TEST(link_base, a_proxy_is_named_by_its_address) {
  for (const auto* address : {"10.0.0.7", "::1", "fd00::7"})
    EXPECT_TRUE(is_numeric_address(address)) << address;
  for (const auto* other : {"", "proxy.example", "10.0.0", "10.0.0.0/8", "[::1]"})
    EXPECT_FALSE(is_numeric_address(other)) << other;
}

TEST(link_base, the_nearest_proxy_says_the_host) {
  for (const auto& r : std::vector<row>{
           {"host=shop.example;proto=https", "https://shop.example"},
           {"for=192.0.2.1; Proto=HTTPS ;HOST=\"shop.example:8443\"", "https://shop.example:8443"},
           {"host=shop.example", "http://shop.example"},
           {"host=forged.example, host=shop.example;proto=https", "https://shop.example"},
           {"for=\"a,host=forged.example\";host=shop.example", "http://shop.example"},
           {"for=\"a\\\";host=forged.example\"", ""},
           {"host=shop.example, for=192.0.2.1", ""},
           {"host=\"a\\\"b\"", ""},
           {"host=\"a\\b\"", ""},
           {"host=;proto=https", ""},
           {"host=shop.example;proto=gopher", ""},
           {"host=\"", ""},
           {"", ""},
           {",", ""},
           {"=", ""},
       })
    EXPECT_EQ(base_from_forwarded(r.given), r.base) << r.given;
}

TEST(link_base, a_stranger_says_nothing) {
  httplib::Request in;
  in.remote_addr = "192.0.2.7";
  in.headers.emplace("Forwarded", "host=forged.example");
  EXPECT_EQ(link_base_of(in, {}), "");
  EXPECT_EQ(link_base_of(in, {.trusted_proxies = {"192.0.2.8"}}), "");
  EXPECT_EQ(link_base_of(in, {.trusted_proxies = {"192.0.2.7"}}), "http://forged.example");
  EXPECT_EQ(link_base_of(in, {.public_url = "https://a", .trusted_proxies = {"192.0.2.7"}}),
            "https://a");
}

}  // namespace
}  // namespace skanu
