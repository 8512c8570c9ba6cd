// The framing and grammar of requests, byte by byte.
#include "http/server/request_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace skanu {
namespace {

using stage = request_reader::stage;

const std::string start = "POST /orders HTTP/1.1\r\nHost: a\r\n";
const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";

stage read_all(request_reader& reader, std::string_view bytes) {
  reader.append(bytes);
  return reader.advance();
}

int status_of(std::string_view bytes) {
  request_reader reader{request_limits{}};
  return read_all(reader, bytes) == stage::failed ? reader.failure().status : 0;
}

TEST(request_reader, reads_a_request_that_comes_byte_by_byte) {
  const std::string bytes = start +
                            "Transfer-Encoding: chunked\r\nX-Name:  a b \t\r\n\r\n"
                            "3;note=x\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  request_reader reader{request_limits{}};
  EXPECT_EQ(reader.advance(), stage::idle);
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    const auto now = read_all(reader, bytes.substr(i, 1));
    ASSERT_TRUE(now == stage::head || now == stage::body) << i;
  }
  ASSERT_EQ(read_all(reader, bytes.substr(bytes.size() - 1)), stage::complete);
  const auto request = reader.take();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/orders");
  EXPECT_EQ(request.body, "abc0123456789");
  EXPECT_EQ(request.headers.find("x-name")->second, "a b");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(reader.advance(), stage::idle);
}

TEST(request_reader, keeps_the_bytes_of_the_next_request) {
  request_reader reader{request_limits{}};
  const std::string first = start + "Content-Length: 2\r\n\r\nab";
  ASSERT_EQ(read_all(reader, first + "\r\nGET /next HTTP/1.1\r\nHo"), stage::complete);
  EXPECT_TRUE(reader.has_more());
  EXPECT_EQ(reader.take().body, "ab");
  EXPECT_EQ(reader.advance(), stage::head);
  ASSERT_EQ(read_all(reader, "st: a\r\n\r\n"), stage::complete);
  EXPECT_EQ(reader.take().target, "/next");
}

TEST(request_reader, leaves_header_values_undecoded) {
  request_reader reader{request_limits{}};
  ASSERT_EQ(read_all(reader, "GET / HTTP/1.1\r\nHost: a\r\nX: b%0d%0aSet-Cookie: c\r\n\r\n"),
            stage::complete);
  EXPECT_EQ(reader.take().headers.find("X")->second, "b%0d%0aSet-Cookie: c");
}

TEST(request_reader, hides_what_it_has_dealt_with) {
  request_reader reader{request_limits{}};
  ASSERT_EQ(read_all(reader, start + "Expect: 100-continue\r\n"
                                     "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"),
            stage::complete);
  const auto request = reader.take();
  EXPECT_EQ(request.headers.size(), 1U);
  EXPECT_TRUE(request.headers.contains("Host"));
}

TEST(request_reader, knows_whether_the_client_keeps_the_connection) {
  struct example {
    std::string_view version;
    std::string_view fields;
    bool kept;
  };
  const std::vector<example> examples{
      {"HTTP/1.1", "", true},
      {"HTTP/1.1", "Connection: close\r\n", false},
      {"HTTP/1.1", "Connection: upgrade, Close\r\n", false},
      {"HTTP/1.1", "Connection: keep-alive\r\n", true},
      {"HTTP/1.0", "", false},
      {"HTTP/1.0", "Connection: Keep-Alive\r\n", true},
      {"HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false},
  };
  for (const auto& each : examples) {
    request_reader reader{request_limits{}};
    const auto request = "GET / " + std::string{each.version} + "\r\nHost: a\r\n";
    ASSERT_EQ(read_all(reader, request + std::string{each.fields} + "\r\n"), stage::complete);
    EXPECT_EQ(reader.take().keep_alive, each.kept) << each.version << ' ' << each.fields;
  }
}

TEST(request_reader, asks_once_for_a_body_that_waits_to_be_asked_for) {
  request_reader reader{request_limits{}};
  EXPECT_EQ(read_all(reader, start + "Expect: 100-continue\r\nContent-Length: 2\r\n"), stage::head);
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_EQ(read_all(reader, "\r\n"), stage::body);
  EXPECT_TRUE(reader.wants_continue());
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_EQ(read_all(reader, "ab"), stage::complete);
}

// RFC 9110 10.1.1: a client of HTTP/1.0 would take an interim response for the answer.
TEST(request_reader, does_not_ask_a_client_of_http_1_0_for_a_body) {
  request_reader reader{request_limits{}};
  EXPECT_EQ(
      read_all(reader, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
      stage::body);
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_EQ(read_all(reader, "ab"), stage::complete);
}

TEST(request_reader, does_not_ask_for_a_body_that_is_coming) {
  request_reader reader{request_limits{}};
  EXPECT_EQ(read_all(reader, start + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\na"),
            stage::body);
  EXPECT_FALSE(reader.wants_continue());
}

struct refused_request {
  std::string bytes;
  int status;
};

/// Demands the status of each request, also for bytes that arrive one by one.
void expect_refused(const std::vector<refused_request>& requests) {
  for (const auto& each : requests) {
    EXPECT_EQ(status_of(each.bytes), each.status) << each.bytes;
    request_reader reader{request_limits{}};
    for (const char byte : each.bytes) {
      if (read_all(reader, {&byte, 1}) == stage::failed) break;
    }
    EXPECT_EQ(reader.failure().status, each.status) << each.bytes;
  }
}

TEST(request_reader, refuses_body_lengths_that_could_be_read_in_two_ways) {
  // Both length fields, in every order and spelling.
  expect_refused({
      {start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {start + "transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n", 400},
      {start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
      {start + "Content-Length: 3, 3\r\n\r\n", 400},
      {start + "Content-Length: +3\r\n\r\n", 400},
      {start + "Content-Length: -3\r\n\r\n", 400},
      {start + "Content-Length: 0x3\r\n\r\n", 400},
      {start + "Content-Length: 3 3\r\n\r\n", 400},
      {start + "Content-Length:\r\n\r\n", 400},
      {start + "Content-Length : 3\r\n\r\n", 400},
      {start + "Content-Length: 99999999999999999999999\r\n\r\n", 413},
      {start + "Content-Length: 18446744073709551619\r\n\r\n", 413},
      {start + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {start + "Transfer-Encoding: identity\r\n\r\n", 501},
      {start + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
      {start + "Transfer-Encoding : chunked\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
  });
}

TEST(request_reader, refuses_lines_that_could_be_read_in_two_ways) {
  expect_refused({
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {get + "X: a\n\r\n", 400},
      {get + " folded\r\n\r\n", 400},
      {get + "\tfolded\r\n\r\n", 400},
      {get + "no colon\r\n\r\n", 400},
      {get + ": no name\r\n\r\n", 400},
      {get + "X: a\rb\r\n\r\n", 400},
      {get + std::string{"X: a\0b\r\n\r\n", 10}, 400},
      {get + std::string{"X\0: b\r\n\r\n", 9}, 400},
      {"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  });
}

TEST(request_reader, refuses_request_lines_of_another_form) {
  expect_refused({
      {"GET /\r\n", 400},
      {"GET  / HTTP/1.1\r\n", 400},
      {"GET / HTTP/1.1 \r\n", 400},
      {"GET /a b HTTP/1.1\r\n", 400},
      {"GET / http/1.1\r\n", 400},
      {"GET / HTTP/1.10\r\n", 400},
      {"GET / HTTP/2.0\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"G(T / HTTP/1.1\r\n", 400},
      {"CONNECT a:443 HTTP/1.1\r\n", 400},
      {"GET http://a@other/ HTTP/1.1\r\n", 400},
      {"GET * HTTP/1.1\r\n", 400},
      {"GET orders HTTP/1.1\r\n", 400},
      {"GET /a#b HTTP/1.1\r\n", 400},
      {"GET /a%00b HTTP/1.1\r\n", 400},
      {"GET /a?b=%00 HTTP/1.1\r\n", 400},
      {"GET /a%0d%0ab HTTP/1.1\r\n", 400},
      {"GET /a%2 HTTP/1.1\r\n", 400},
      {"GET /?" + std::string(100, '&') + " HTTP/1.1\r\n", 400},
      {"GET /a%u0041 HTTP/1.1\r\n", 400},
      {"GET /caf\xc3\xa9 HTTP/1.1\r\n", 400},
      {std::string{"GET /\0 HTTP/1.1\r\n", 17}, 400},
      {"\x16\x03\x01\x02", 400},
  });
}

TEST(request_reader, refuses_hosts_encodings_and_expectations_that_cannot_be_met) {
  expect_refused({
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {get + "Host: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: localhost:99999\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nHost: a@b\r\n\r\n", 400},
      {start + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n", 415},
      {start + "Expect: a miracle\r\n\r\n", 417},
  });
}

TEST(request_reader, refuses_chunks_that_could_be_read_in_two_ways) {
  expect_refused({
      {chunked + "xyz\r\n", 400},
      {chunked + "-1\r\n", 400},
      {chunked + " 1\r\n", 400},
      {chunked + "\r\n", 400},
      {chunked + "1\nx", 400},
      {chunked + "1\r\nxy\r\n", 400},
      {chunked + "1 x\r\n", 400},
      {chunked + "10001\r\n", 413},
      {chunked + "ffffffffffffffffffff\r\n", 413},
  });
}

TEST(request_reader, refuses_trailers_that_could_be_read_in_two_ways) {
  expect_refused({
      {chunked + "0\r\nno colon\r\n\r\n", 400},
      {chunked + "0\r\nX: a\r\n folded\r\n\r\n", 400},
      {chunked + "0\r\nX: a\rb\r\n\r\n", 400},
      {chunked + "0\r\nGET / HTTP/1.1\r\n\r\n", 400},
  });
}

TEST(request_reader, takes_what_is_unusual_but_clear) {
  const std::vector<std::string> examples{
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET /a?b=c?d&e=%0a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /%EC%BB%A4 HTTP/1.1\r\nHost: a\r\nX:\r\nY:b\r\nZ: caf\xc3\xa9\r\n\r\n",
      start + "Content-Length: 1\r\nContent-Length: 01\r\n\r\na",
      start + "Transfer-Encoding: chunked\r\n\r\n1 ; a=\"b\"\r\nx\r\n000\r\n\r\n",
  };
  for (const auto& each : examples) {
    request_reader reader{request_limits{}};
    EXPECT_EQ(read_all(reader, each), stage::complete) << each << reader.failure().reason;
  }
}

// Feeds `unit` until the reader fails, and returns the number of bytes fed.
size_t bytes_until_failure(request_reader& reader, std::string_view first, std::string_view unit) {
  size_t fed = 0;
  auto now = read_all(reader, first);
  while (now != stage::failed && fed < 10'000'000) {
    now = read_all(reader, unit);
    fed += unit.size();
    EXPECT_LE(reader.held_bytes(), 200U * 1024) << first;
  }
  return fed;
}

TEST(request_reader, ends_what_does_not_end) {
  struct example {
    std::string start;
    std::string_view unit;
    int status;
    size_t at_most;
  };
  const std::vector<example> examples{
      {"GET /", "a", 414, 8 * 1024},
      {start + "X: ", "a", 431, 8 * 1024},
      {start, "a", 431, 8 * 1024 + 1},
      {start, "abcdefgh: value\r\n", 431, 2 * 1024},
      {start,
       std::string_view{"X: 0123456789abcdef0123456789abcdef0123456789abcdef"
                        "0123456789abcdef0123456789abcdef0123456789abcdef"
                        "0123456789abcdef0123456789abcdef0123456789abcdef"
                        "0123456789abcdef0123456789abcdef0123456789abcdef\r\n"},
       431, 17 * 1024},
      {"", "\r\n", 400, 16},
      {chunked, "5\r\nabcde\r\n", 413, 192 * 1024},
      {chunked, "1\r\na\r\n", 413, 512 * 1024},
      {chunked, "1;0123456789012345678901234567890123456789\r\na\r\n", 400, 640 * 1024},
      {chunked, "0", 400, 512},
      {chunked + "1;", "a", 400, 512},
      {chunked + "0\r\n", "X: abcdef\r\n", 431, 20 * 1024},
      {chunked + "0\r\nX: ", "a", 431, 20 * 1024},
  };
  for (const auto& each : examples) {
    request_reader reader{request_limits{}};
    EXPECT_LE(bytes_until_failure(reader, each.start, each.unit), each.at_most) << each.start;
    EXPECT_EQ(reader.failure().status, each.status) << each.start << each.unit;
  }
}

}  // namespace
}  // namespace skanu
