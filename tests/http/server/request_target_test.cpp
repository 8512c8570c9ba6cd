// The path and the parameters of a request target.
#include "http/server/request_target.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace skanu {
namespace {

struct target_case {
  std::string_view target;
  std::string path;
  std::vector<std::pair<std::string, std::string>> parameters;
};

TEST(request_target, has_a_path_and_parameters_decoded) {
  const target_case cases[] = {
      {"/orders", "/orders", {}},
      {"*", "*", {}},
      {"/orders?", "/orders", {}},
      {"/a%20b%2Fc+d", "/a b%2Fc+d", {}},
      {"/a%2fb%2Dc", "/a%2Fb-c", {}},
      {"/%2F%2f?x=%2F", "/%2F%2F", {{"x", "/"}}},
      {"/a%252Fb", "/a%2Fb", {}},
      {"/%EC%BB%A4?a=b", "/\xec\xbb\xa4", {{"a", "b"}}},
      {"/a?x=1&y=2", "/a", {{"x", "1"}, {"y", "2"}}},
      {"/a?x=1&x=2", "/a", {{"x", "1"}, {"x", "2"}}},
      {"/a?x=1&x=1", "/a", {{"x", "1"}}},
      {"/a?&x=1&&", "/a", {{"x", "1"}}},
      {"/a?x", "/a", {{"x", ""}}},
      {"/a?x=", "/a", {{"x", ""}}},
      {"/a?=x", "/a", {{"", "x"}}},
      {"/a?x=b=c", "/a", {{"x", "b=c"}}},
      {"/a?x=b?c=d&e=%0a", "/a", {{"e", "\n"}, {"x", "b?c=d"}}},
      {"/a?x=b+c%2Bd%26", "/a", {{"x", "b c+d&"}}},
  };
  for (const auto& c : cases) {
    httplib::Request in;
    set_target(in, c.target);
    EXPECT_EQ(in.target, c.target);
    EXPECT_EQ(in.path, c.path) << c.target;
    EXPECT_EQ(
        (std::vector<std::pair<std::string, std::string>>(in.params.begin(), in.params.end())),
        c.parameters)
        << c.target;
  }
}

}  // namespace
}  // namespace skanu
