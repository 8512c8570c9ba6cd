// The connection layer from bind to stop, with well-behaved clients.
#include "http/server/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <latch>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "tests/support/running_server.hpp"

namespace skanu {
namespace {

using steady = std::chrono::steady_clock;

// --- Honest clients ---

TEST(http_server, hands_the_whole_request_to_the_handler) {
  running_server server{patient_options(),
                        [](const httplib::Request& request, httplib::Response& response) {
                          response.set_content(request.method + ' ' + request.path + ' ' +
                                                   request.get_param_value("b") + ' ' +
                                                   request.get_header_value("x-field") + ' ' +
                                                   request.body + ' ' + request.remote_addr,
                                               "text/plain");
                        }};
  auto client = server.connect();
  const auto response = client.ask(
      "PATCH /a%20b?b=1%2B2 HTTP/1.1\r\nHost: a\r\nX-Field: value\r\nContent-Length: "
      "4\r\n\r\nbody");
  EXPECT_EQ(body_of(response), "PATCH /a b 1+2 value body 127.0.0.1");
}

TEST(http_server, a_value_in_a_query_goes_as_far_as_the_next_ampersand) {
  running_server server{
      patient_options(), [](const httplib::Request& request, httplib::Response& response) {
        response.set_content(
            request.path + ' ' + request.get_param_value("a") + ' ' + request.get_param_value("b"),
            "text/plain");
      }};
  auto client = server.connect();
  for (const auto& [target, seen] :
       {std::pair{"/x=y=z?a=1=2&b=3", "/x=y=z 1=2 3"}, std::pair{"/?a=1&b==3", "/ 1 =3"},
        std::pair{"/?a=1;b=2&b=?=", "/ 1;b=2 ?="}, std::pair{"/?a=&b", "/  "}}) {
    const auto response = client.ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(body_of(response), seen) << target;
  }
}

TEST(http_server, a_method_that_cpp_httplib_does_not_know_never_reached_the_handler) {
  running_server server{
      patient_options(), [](const httplib::Request& request, httplib::Response& response) {
        response.set_content(request.method + ' ' + request.path + ' ' + request.body,
                             "text/plain");
      }};
  auto client = server.connect();
  for (const auto* method : {"BREW", "get", "M-SEARCH", "TRACE", "CONNECT"}) {
    const auto response = client.ask(std::string(method) +
                                     " /pot HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntea");
    EXPECT_EQ(body_of(response), std::string(method) + " /pot tea");
    EXPECT_FALSE(response->closes());
  }
}

TEST(http_server, keeps_a_connection_for_any_number_of_requests) {
  running_server server;
  auto client = server.connect();
  for (int i = 0; i < 500; ++i) {
    const auto response = client.ask(post(std::to_string(i)));
    ASSERT_EQ(body_of(response), std::to_string(i));
    ASSERT_FALSE(response->closes());
  }
}

TEST(http_server, answers_pipelined_requests_in_order) {
  running_server server;
  auto client = server.connect();
  std::string requests;
  for (int i = 0; i < 300; ++i) {
    requests += i % 3 == 0 ? chunked("3\r\n" + std::to_string(100 + i) + "\r\n0\r\n\r\n")
                           : post(std::to_string(100 + i));
  }
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(body_of(client.receive()), std::to_string(100 + i));
  }
}

TEST(http_server, answers_a_slow_request_before_the_one_pipelined_behind_it) {
  gate slow;
  running_server server{patient_options(),
                        [&](const httplib::Request& request, httplib::Response& response) {
                          if (request.path == "/slow") slow.pass();
                          response.set_content(request.path, "text/plain");
                        }};
  auto client = server.connect();
  ASSERT_TRUE(client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(client.send(get));
  auto other = server.connect();
  EXPECT_EQ(body_of(other.ask(get)), "/hello");
  EXPECT_FALSE(client.hears_within(50ms));
  slow.open();
  EXPECT_EQ(body_of(client.receive()), "/slow");
  EXPECT_EQ(body_of(client.receive()), "/hello");
}

TEST(http_server, answers_a_request_that_comes_byte_by_byte) {
  running_server server;
  auto client = server.connect();
  for (const char byte : chunked("5\r\nhello\r\n0\r\n\r\n")) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(body_of(client.receive()), "hello");
}

TEST(http_server, answers_head_with_the_headers_of_get_and_no_body) {
  running_server server{patient_options(),
                        [](const httplib::Request&, httplib::Response& response) {
                          response.set_header("ETag", "\"1\"");
                          response.set_content("hello", "text/plain");
                        }};
  auto client = server.connect();
  const auto full = client.ask(get);
  ASSERT_TRUE(client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto head = client.receive(true);
  ASSERT_TRUE(full && head);
  EXPECT_EQ(head->headers, full->headers);
  EXPECT_EQ(body_of(client.ask(get)), "hello");
}

TEST(http_server, asks_for_a_body_where_the_client_waits_for_it) {
  running_server server;
  auto client = server.connect();
  ASSERT_TRUE(
      client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                  "Expect: 100-continue\r\n\r\n"));
  EXPECT_EQ(status_of(client.receive()), 100);
  EXPECT_EQ(body_of(client.ask("hello")), "hello");
  EXPECT_EQ(body_of(client.ask(get)), "GET/hello");
}

TEST(http_server, does_not_ask_for_a_body_that_is_too_large) {
  running_server server;
  auto client = server.connect();
  EXPECT_EQ(status_of(client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n"
                                 "Expect: 100-continue\r\n\r\n")),
            413);
  EXPECT_TRUE(client.is_closed());
}

TEST(http_server, serves_http_1_0) {
  running_server server;
  auto once = server.connect();
  EXPECT_TRUE(once.ask("GET / HTTP/1.0\r\n\r\n")->closes());
  EXPECT_TRUE(once.is_closed());
  auto kept = server.connect();
  for (int i = 0; i < 3; ++i) {
    const auto response = kept.ask("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    ASSERT_EQ(body_of(response), "GET/");
    EXPECT_EQ(response->headers.at("connection"), "keep-alive");
  }
}

TEST(http_server, closes_where_the_client_asks_for_it) {
  running_server server;
  auto client = server.connect();
  const auto response = client.ask(post("last", "Connection: close\r\n") + std::string{get});
  EXPECT_EQ(body_of(response), "last");
  EXPECT_TRUE(response->closes());
  EXPECT_TRUE(client.is_closed());
}

TEST(http_server, answers_a_client_that_has_finished_sending) {
  running_server server;
  auto client = server.connect();
  ASSERT_TRUE(client.send(post("one") + post("two")));
  client.finish_sending();
  EXPECT_EQ(body_of(client.receive()), "one");
  EXPECT_EQ(body_of(client.receive()), "two");
  EXPECT_TRUE(client.is_closed());
}

TEST(http_server, delivers_a_large_response_whole) {
  const std::string large(8 * 1024 * 1024, 'x');
  running_server server{patient_options(),
                        [&](const httplib::Request&, httplib::Response& response) {
                          response.set_content(large, "text/plain");
                        }};
  auto client = server.connect();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(body_of(client.ask(get)), large);
}

TEST(http_server, adds_nothing_of_its_own_to_a_response_but_the_time_and_nosniff) {
  running_server server{patient_options(),
                        [](const httplib::Request& request, httplib::Response& response) {
                          if (request.method == "DELETE") {
                            response.status = 204;
                          } else {
                            response.set_content(std::string(5000, 'x'), "text/plain");
                          }
                        }};
  auto client = server.connect();
  auto response = client.ask(
      "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-9\r\n\r\n");
  EXPECT_EQ(status_of(response), 200);
  EXPECT_EQ(body_of(response), std::string(5000, 'x'));
  EXPECT_THAT(response->headers["date"],
              testing::MatchesRegex("[A-Z][a-z]+, [0-9]+ [A-Z][a-z]+ [0-9]+ [0-9:]+ GMT"));
  response->headers.erase("date");
  EXPECT_EQ(response->headers,
            (std::map<std::string, std::string>{{"content-length", "5000"},
                                                {"content-type", "text/plain"},
                                                {"x-content-type-options", "nosniff"}}));
  EXPECT_EQ(status_of(client.ask("GET / HTTP/1.1\r\nHost: a\r\nRange: nonsense\r\n\r\n")), 200);
  const auto empty = client.ask("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(empty), 204);
  EXPECT_EQ(empty->headers.size(), 2u);
}

TEST(http_server, states_the_length_once_whatever_the_handler_sets) {
  running_server server{patient_options(),
                        [](const httplib::Request&, httplib::Response& response) {
                          response.set_header("Content-Length", "1");
                          response.set_header("Connection", "upgrade");
                          response.set_content("hello", "text/plain");
                        }};
  auto client = server.connect();
  const auto response = client.ask(get);
  EXPECT_EQ(response->headers.at("content-length"), "5");
  EXPECT_FALSE(response->headers.contains("connection"));
}

TEST(http_server, leaves_out_headers_with_a_control_character) {
  running_server server{patient_options(),
                        [](const httplib::Request&, httplib::Response& response) {
                          for (const char c : {'\0', '\x01', '\n', '\r', '\x1b', '\x1f', '\x7f'}) {
                            response.headers.emplace("X-Value", std::string("a") + c + "b");
                            response.headers.emplace(std::string("X-Na") + c + "me", "value");
                          }
                          response.headers.emplace("X-Kept", "a\tb \x7e");
                          response.set_content("hello", "text/plain");
                        }};
  auto client = server.connect();
  const auto response = client.ask(get);
  ASSERT_EQ(body_of(response), "hello");
  EXPECT_EQ(response->headers.at("x-kept"), "a\tb \x7e");
  for (const auto& [name, value] : response->headers)
    EXPECT_TRUE(name == "x-kept" || !name.starts_with("x-") || name == "x-content-type-options")
        << name << ": " << value;
}

// --- Start and end ---

TEST(http_server, names_the_address_that_is_in_use) {
  running_server first;
  auto options = patient_options();
  options.port = first.port();
  server second{options, plain(echo), [](int, std::string_view, httplib::Response&) {}};
  try {
    second.bind();
    FAIL() << "a port was taken twice";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_NE(std::string{error.what()}.find("127.0.0.1:" + std::to_string(first.port())),
              std::string::npos);
  }
}

TEST(http_server, rejects_an_address_that_is_none) {
  auto options = patient_options();
  options.address = "no such address";
  server nowhere{options, plain(echo), [](int, std::string_view, httplib::Response&) {}};
  EXPECT_THROW(nowhere.bind(), std::system_error);
}

TEST(http_server, can_be_bound_again_at_once) {
  auto options = patient_options();
  {
    running_server first{options};
    options.port = first.port();
    auto client = first.connect();
    EXPECT_EQ(status_of(client.ask(get)), 200);
  }
  running_server second{options};
  EXPECT_EQ(status_of(second.connect().ask(get)), 200);
}

TEST(http_server, keeps_clients_that_come_between_bind_and_start) {
  auto options = patient_options();
  server early{options, plain(echo), [](int, std::string_view, httplib::Response&) {}};
  raw_http_client client{early.bind()};
  ASSERT_TRUE(client.send(get));
  early.start();
  EXPECT_EQ(status_of(client.receive()), 200);
}

TEST(http_server, finishes_what_it_accepted_when_it_stops) {
  gate slow;
  std::latch entered{1};
  running_server server{patient_options(),
                        [&](const httplib::Request& request, httplib::Response& response) {
                          if (request.path == "/slow") {
                            entered.count_down();
                            slow.pass();
                          }
                          response.set_content(request.path, "text/plain");
                        }};
  auto idle = server.connect();
  EXPECT_EQ(status_of(idle.ask(get)), 200);
  auto busy = server.connect();
  ASSERT_TRUE(busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + std::string{get}));
  entered.wait();
  auto stopped = std::async(std::launch::async, [&] { server->stop(); });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_THROW(server.connect(), std::system_error);
  slow.open();
  EXPECT_EQ(body_of(busy.receive()), "/slow");
  const auto last = busy.receive();
  EXPECT_EQ(body_of(last), "/hello");
  EXPECT_TRUE(last && last->closes());
  EXPECT_TRUE(busy.is_closed());
  EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(server->open_connections(), 0U);
}

TEST(http_server, lets_an_unfinished_request_finish_when_it_stops) {
  running_server server;
  auto client = server.connect();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"));
  auto idle = server.connect();
  EXPECT_EQ(status_of(idle.ask(get)), 200);
  auto stopped = std::async(std::launch::async, [&] { server->stop(); });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_EQ(body_of(client.ask("hello")), "hello");
  EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready);
}

TEST(http_server, does_not_wait_without_end_for_a_client_when_it_stops) {
  auto options = patient_options();
  options.stop_timeout = 200ms;
  running_server server{options};
  auto client = server.connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX: "));
  auto second = server.connect();
  EXPECT_EQ(status_of(second.ask(get)), 200);
  const auto start = steady::now();
  server->stop();
  EXPECT_LT(steady::now() - start, 3s);
  EXPECT_TRUE(client.is_closed());
}

TEST(http_server, can_be_stopped_twice_and_before_it_was_started) {
  server never{patient_options(), plain(echo), [](int, std::string_view, httplib::Response&) {}};
  never.stop();
  running_server server;
  server->stop();
  server->stop();
}

// --- Handing the connection over ---

/// Hands /stream over to a taker that sends "more" and closes; echoes other requests.
void hand_over(exchange& x) {
  if (x.in.path != "/stream") return echo(x.in, x.out);
  x.out.set_header("Content-Type", "text/event-stream");
  x.taker = [](file_descriptor socket, std::string unsent) {
    EXPECT_EQ(unsent, "");
    ::send(socket.get(), "more", 4, MSG_NOSIGNAL);
  };
}

constexpr std::string_view get_stream = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(http_server, a_socket_that_is_handed_over_ends_with_its_taker_and_counts_no_more) {
  running_server server{patient_options(), hand_over};
  auto client = server.connect();
  ASSERT_TRUE(client.send(std::string{get_stream} + std::string{get}));
  const auto all = client.receive_rest();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\nmore")) << "and no answer to what stood behind it: " << all;
  EXPECT_NE(all.find("Connection: close\r\n"), all.npos);
  EXPECT_EQ(all.find("Content-Length"), all.npos);
  EXPECT_EQ(all.find("Transfer-Encoding"), all.npos);
  const auto until = steady::now() + 10s;
  while (server->open_connections() > 0 && steady::now() < until) std::this_thread::yield();
  EXPECT_EQ(server->open_connections(), 0U);
}

TEST(http_server, hands_no_socket_over_for_a_head_request) {
  running_server server{patient_options(), hand_over};
  auto client = server.connect();
  ASSERT_TRUE(client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto all = client.receive_rest();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
  EXPECT_EQ(all.find("Content-Length"), all.npos);
}

TEST(http_server, keeps_the_socket_where_the_handler_fails_after_all) {
  running_server server{patient_options(), [](exchange& x) {
                          hand_over(x);
                          if (x.in.path == "/stream") throw std::runtime_error("after all");
                        }};
  auto client = server.connect();
  EXPECT_EQ(status_of(client.ask(get_stream)), 500);
  EXPECT_EQ(body_of(client.ask(get)), "GET/hello");
}

}  // namespace
}  // namespace skanu
