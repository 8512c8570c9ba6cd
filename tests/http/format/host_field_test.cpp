// The name in a Host field, and fields that are malformed.
#include "http/format/host_field.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

TEST(host_field, holds_a_name_or_an_address_with_or_without_a_port) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"localhost", "localhost"},
      {"LocalHost:8088", "LocalHost"},
      {"127.0.0.1:0", "127.0.0.1"},
      {"[::1]", "::1"},
      {"[::1]:8088", "::1"},
      {"a_b.example", "a_b.example"},
      {"shop.example:65535", "shop.example"},
      {"localhost.", "localhost."},
      {"shop:", "shop"},
      {"", ""},
      {"caf%C3%A9.example", "caf%C3%A9.example"},
      {"shop:00080", "shop"}};
  for (const auto& [field, name] : cases) EXPECT_EQ(host_name(field), name) << field;
}

TEST(host_field, a_malformed_one_was_answered_or_taken_for_anothers) {
  for (const auto* field : {"localhost:x",
                            "localhost:99999",
                            "localhost:65536",
                            "localhost:-1",
                            "localhost:+1",
                            "localhost:99999999999999999999999",
                            "localhost@evil.example",
                            "[::1",
                            "[::1]evil",
                            "::1",
                            "[]",
                            "[localhost]",
                            "[::1%25lo]",
                            "a b",
                            "a/b",
                            "a\\b",
                            "a?b",
                            "a#b",
                            "a\"b",
                            "<a>",
                            "%",
                            "%4",
                            "%zz",
                            "caf\xC3\xA9",
                            "a:1:2",
                            "http://a"})
    EXPECT_EQ(host_name(field), std::nullopt) << field;
}

}  // namespace
}  // namespace skanu
