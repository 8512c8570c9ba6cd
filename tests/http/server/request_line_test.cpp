// The forms of a request's first line (RFC 9112, 2.3 and 3.2).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/server/request_reader.hpp"

namespace skanu {
namespace {

struct read_request {
  int failure = 0;
  std::string target;
  std::string host;
  bool operator==(const read_request&) const = default;
};

void PrintTo(const read_request& r, std::ostream* out) {
  *out << r.failure << " target=" << r.target << " host=" << r.host;
}

read_request read(std::string_view line) {
  request_reader reader{request_limits{}};
  reader.append(std::string(line) + "\r\nHost: own.example:80\r\n\r\n");
  if (reader.advance() == request_reader::stage::failed) return {reader.failure().status, "", ""};
  const auto request = reader.take();
  if (request.headers.count("Host") != 1) return {-1, "", ""};
  return {0, request.target, request.headers.find("Host")->second};
}

TEST(request_line, an_absolute_form_names_the_host_itself) {
  struct row {
    const char* line;
    read_request expected;
  };
  for (const auto& r : std::vector<row>{
           {"GET /orders HTTP/1.1", {0, "/orders", "own.example:80"}},
           {"GET http://other/ HTTP/1.1", {0, "/", "other"}},
           {"GET http://other:8088/orders?page=1 HTTP/1.1", {0, "/orders?page=1", "other:8088"}},
           {"GET HTTPS://[::1]:443/a HTTP/1.1", {0, "/a", "[::1]:443"}},
           {"GET http://other HTTP/1.1", {0, "/", "other"}},
           {"GET http://other?page=1 HTTP/1.1", {0, "/?page=1", "other"}},
           {"OPTIONS http://other HTTP/1.1", {0, "*", "other"}},
           {"OPTIONS http://other/ HTTP/1.1", {0, "/", "other"}},
           {"OPTIONS * HTTP/1.1", {0, "*", "own.example:80"}},
           {"GET http:///orders HTTP/1.1", {400, "", ""}},
           {"GET http://user@other/ HTTP/1.1", {400, "", ""}},
           {"GET http://other:99999/ HTTP/1.1", {400, "", ""}},
           {"GET ftp://other/ HTTP/1.1", {400, "", ""}},
           {"GET http:/orders HTTP/1.1", {400, "", ""}},
           {"GET * HTTP/1.1", {400, "", ""}},
       })
    EXPECT_EQ(read(r.line), r.expected) << r.line;
}

TEST(request_line, an_absolute_form_needs_a_host_field_all_the_same) {
  request_reader reader{request_limits{}};
  reader.append("GET http://other/ HTTP/1.1\r\n\r\n");
  EXPECT_EQ(reader.advance(), request_reader::stage::failed);
  EXPECT_EQ(reader.failure().status, 400);
}

TEST(request_line, a_host_of_an_absolute_form_is_forgotten_with_its_request) {
  request_reader reader{request_limits{}};
  reader.append("GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n");
  ASSERT_EQ(reader.advance(), request_reader::stage::complete);
  EXPECT_EQ(reader.take().headers.find("Host")->second, "other");
  ASSERT_EQ(reader.advance(), request_reader::stage::complete);
  EXPECT_EQ(reader.take().headers.find("Host")->second, "b");
}

TEST(request_line, a_later_minor_version_is_served_as_1_1) {
  EXPECT_EQ(read("GET / HTTP/1.2").failure, 0);
  EXPECT_EQ(read("GET / HTTP/1.9").failure, 0);
  EXPECT_EQ(read("GET / HTTP/2.0").failure, 505);
  EXPECT_EQ(read("GET / HTTP/0.9").failure, 505);
}

}  // namespace
}  // namespace skanu
