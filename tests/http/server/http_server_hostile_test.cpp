// The connection layer against slow, greedy, hostile and unlucky clients.
#include "http/server/server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/running_server.hpp"

namespace skanu {
namespace {

using steady = std::chrono::steady_clock;

TEST(http_server_under_attack, refuses_a_bad_request_and_closes) {
  struct example {
    std::string bytes;
    int status;
  };
  const std::vector<example> examples{
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {post("x", "Content-Encoding: gzip\r\n"), 415},
      {post("x", "Content-Encoding: br\r\n"), 415},
      {post("x", "Expect: miracles\r\n"), 417},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET /\r\n", 400},
      {"GET / HTTP/2.0\r\n", 505},
      {"GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GE\"T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {std::string{"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29}, 400},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'a'), 431},
      {"GET / HTTP/1.1\r\nHost: a\r\n" + std::string(20'000, 'a'), 431},
      {chunked("20000\r\n"), 413},
      {chunked("many\r\n"), 400},
      {chunked("1\r\nxx\r\n"), 400},
  };
  running_server server;
  for (const auto& each : examples) {
    auto client = server.connect();
    // The server must not answer a request smuggled behind the bad request.
    ASSERT_TRUE(client.send(each.bytes + "\r\n" + std::string{get}));
    const auto response = client.receive();
    ASSERT_EQ(status_of(response), each.status) << each.bytes.substr(0, 200);
    EXPECT_TRUE(response->closes());
    EXPECT_EQ(response->headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(response->body.substr(0, 3), std::to_string(each.status));
    EXPECT_TRUE(client.is_closed()) << each.bytes.substr(0, 200);
  }
  EXPECT_EQ(server.failures(), 0);
}

TEST(http_server_under_attack, answers_a_body_without_end_before_it_has_ended) {
  running_server server;
  auto client = server.connect();
  ASSERT_TRUE(client.send(chunked("")));
  const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
  size_t sent = 0;
  while (sent < 4 * 1024 * 1024 && !client.hears_within(0ms) && client.send(chunk)) {
    sent += chunk.size();
  }
  EXPECT_EQ(status_of(client.receive()), 413);
}

TEST(http_server_under_attack, neither_decodes_nor_splits_on_percent_encoded_line_ends) {
  running_server server{patient_options(),
                        [](const httplib::Request& request, httplib::Response& response) {
                          response.set_header("X-Echo", request.get_header_value("X"));
                          response.headers.emplace("X-Query", request.get_param_value("q"));
                        }};
  auto client = server.connect();
  const auto response = client.ask(
      "GET /?q=a%0d%0aSet-Cookie:%20b HTTP/1.1\r\nHost: a\r\nX: a%0d%0aSet-Cookie: d\r\n\r\n");
  ASSERT_EQ(status_of(response), 200);
  EXPECT_EQ(response->headers.at("x-echo"), "a%0d%0aSet-Cookie: d");
  EXPECT_FALSE(response->headers.contains("set-cookie"));
  EXPECT_FALSE(response->headers.contains("x-query"));
}

TEST(http_server_under_attack, does_not_let_a_client_claim_another_address) {
  running_server server{patient_options(),
                        [](const httplib::Request& request, httplib::Response& response) {
                          response.set_content(request.remote_addr, "text/plain");
                        }};
  auto client = server.connect();
  EXPECT_EQ(body_of(client.ask("GET / HTTP/1.1\r\nHost: a\r\nREMOTE_ADDR: 10.0.0.1\r\n\r\n")),
            "127.0.0.1");
}

TEST(http_server_under_attack, answers_408_where_a_header_block_or_a_body_does_not_arrive_in_time) {
  running_server server{quick_options()};
  for (const std::string_view part : {"G", "GET / HTTP/1.1\r\nHost: a\r\n",
                                      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
                                      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
                                      "\r\n\r\n3\r\nabc\r\n"}) {
    auto client = server.connect();
    const auto response = client.ask(part);
    EXPECT_EQ(status_of(response), 408) << part;
    EXPECT_TRUE(client.is_closed()) << part;
  }
}

TEST(http_server_under_attack, answers_all_that_are_overdue_at_once_in_one_go) {
  running_server server{quick_options()};
  std::vector<raw_http_client> clients;
  for (int i = 0; i < 600; ++i) {
    clients.push_back(server.connect());
    ASSERT_TRUE(clients.back().send("G"));
  }
  const auto start = steady::now();
  for (auto& client : clients) EXPECT_EQ(status_of(client.receive()), 408);
  EXPECT_LT(steady::now() - start, 2s);
}

TEST(http_server_under_attack,
     does_not_give_more_time_to_a_client_that_sends_a_little_now_and_then) {
  running_server server{quick_options()};
  auto client = server.connect();
  const auto start = steady::now();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX: "));
  while (!client.hears_within(20ms) && steady::now() - start < 5s) client.send("x");
  EXPECT_EQ(status_of(client.receive()), 408);
  EXPECT_LT(steady::now() - start, 3s);
}

TEST(http_server_under_attack, closes_an_idle_connection_without_a_word) {
  auto options = quick_options();
  options.keep_alive = 200ms;
  running_server server{options};
  auto silent = server.connect();
  auto once = server.connect();
  EXPECT_EQ(status_of(once.ask(get)), 200);
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(once.is_closed());
}

TEST(http_server_under_attack, refuses_a_request_that_the_client_breaks_off) {
  running_server server;
  auto client = server.connect();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc"));
  client.finish_sending();
  EXPECT_EQ(status_of(client.receive()), 400);
  EXPECT_TRUE(client.is_closed());
}

TEST(http_server_under_attack, serves_on_while_clients_are_slow_or_idle) {
  auto options = patient_options();
  options.workers = 1;
  running_server server{options};
  std::vector<raw_http_client> idle;
  std::vector<raw_http_client> slow;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(server.connect());
    slow.push_back(server.connect());
    slow.back().send("GET / HTTP/1.1\r\nX: ");
    slow.push_back(server.connect());
    slow.back().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc");
  }
  auto client = server.connect();
  for (int i = 0; i < 50; ++i) {
    for (auto& each : slow) ASSERT_TRUE(each.send("x"));
    ASSERT_EQ(body_of(client.ask(post(std::to_string(i)))), std::to_string(i));
  }
  EXPECT_EQ(server->open_connections(), idle.size() + slow.size() + 1);
}

TEST(http_server_under_attack, serves_sockets_beyond_what_select_can_hold) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur < 4000) GTEST_SKIP() << "too few descriptors are allowed";
  running_server server;
  std::vector<raw_http_client> clients;
  for (int i = 0; i < 1200; ++i) clients.push_back(server.connect());
  for (auto& client : clients) ASSERT_EQ(status_of(client.ask(get)), 200);
}

TEST(http_server_under_attack, gives_no_worker_to_a_client_that_does_not_read) {
  auto options = patient_options();
  options.workers = 1;
  options.write_timeout = 300ms;
  const std::string large(12 * 1024 * 1024, 'x');
  running_server server{options, [&](const httplib::Request& request, httplib::Response& response) {
                          response.set_content(request.path == "/large" ? large : "small",
                                               "text/plain");
                        }};
  raw_http_client reluctant{server.port(), 4096};
  ASSERT_TRUE(reluctant.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
  auto client = server.connect();
  do {
    ASSERT_EQ(body_of(client.ask(get)), "small");
  } while (server->open_connections() == 2);
  EXPECT_LT(reluctant.receive_rest().size(), large.size());
}

TEST(http_server_under_attack, whoever_read_no_answer_was_answered_megabytes) {
  auto options = patient_options();
  options.write_timeout = 300ms;
  const std::string page(16 * 1024, 'x');
  std::atomic<std::size_t> answered = 0;
  running_server server{options, [&](const httplib::Request& request, httplib::Response& response) {
                          if (request.path == "/page") ++answered;
                          response.set_content(page, "text/plain");
                        }};
  std::string requests;
  for (int i = 0; i < 400; ++i) requests += "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
  raw_http_client reluctant{server.port(), 4096};
  ASSERT_TRUE(reluctant.send(requests));
  auto client = server.connect();
  do {
    ASSERT_EQ(body_of(client.ask(get)), page);
  } while (server->open_connections() == 2);
  EXPECT_LT(answered * page.size(), 512U * 1024U);
}

TEST(http_server_under_attack, bounds_the_memory_of_unfinished_requests) {
  auto options = patient_options();
  options.max_buffered_bytes = 256 * 1024;
  running_server server{options};
  const std::string part =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n" + std::string(60'000, 'x');
  std::vector<raw_http_client> clients;
  size_t refused = 0;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(server.connect());
    ASSERT_TRUE(clients.back().send(part));
  }
  for (auto& client : clients) {
    if (client.hears_within(100ms)) {
      const auto response = client.receive();
      ASSERT_EQ(status_of(response), 503);
      EXPECT_TRUE(response->headers.contains("retry-after"));
      ++refused;
    }
  }
  EXPECT_GE(refused, 16U);
  EXPECT_LT(refused, 20U);
  auto honest = server.connect();
  EXPECT_EQ(body_of(honest.ask(post("hello"))), "hello");
}

TEST(http_server_under_attack, turns_away_connections_beyond_the_cap) {
  auto options = quick_options();
  options.max_connections = 3;
  running_server server{options};
  std::vector<raw_http_client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.connect());
    ASSERT_EQ(status_of(clients.back().ask(get)), 200);
  }
  auto refused = server.connect();
  const auto response = refused.ask(get);
  EXPECT_EQ(status_of(response), 503);
  EXPECT_TRUE(response->headers.contains("retry-after"));
  EXPECT_TRUE(response->closes());
  EXPECT_TRUE(refused.is_closed());
  EXPECT_EQ(server->refused_connections(), 1U);
  for (auto& client : clients) EXPECT_EQ(status_of(client.ask(get)), 200);

  ASSERT_EQ(status_of(clients.back().ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")),
            200);
  clients.pop_back();
  // The server learns of the free place a moment later.
  const auto deadline = steady::now() + 5s;
  auto status = 503;
  while (status == 503 && steady::now() < deadline) status = status_of(server.connect().ask(get));
  EXPECT_EQ(status, 200);
}

TEST(http_server_under_attack, turns_away_an_address_beyond_its_cap) {
  auto options = patient_options();
  options.max_connections_per_address = 2;
  running_server server{options};
  auto one = server.connect();
  auto two = server.connect();
  EXPECT_EQ(status_of(one.ask(get)), 200);
  EXPECT_EQ(status_of(two.ask(get)), 200);
  EXPECT_EQ(status_of(server.connect().ask(get)), 503);
}

TEST(http_server_under_attack, answers_503_at_once_where_too_many_requests_wait) {
  auto options = patient_options();
  options.workers = 1;
  options.max_queued_requests = 1;
  gate blocked;
  std::latch entered{1};
  std::atomic<bool> first{true};
  running_server server{options, [&](const httplib::Request& request, httplib::Response& response) {
                          if (first.exchange(false)) {
                            entered.count_down();
                            blocked.pass();
                          }
                          echo(request, response);
                        }};
  auto running = server.connect();
  ASSERT_TRUE(running.send(get));
  entered.wait();
  EXPECT_EQ(server->requests_in_progress(), 1U);
  auto queued = server.connect();
  ASSERT_TRUE(queued.send(get));
  const auto deadline = steady::now() + 5s;
  while (server->queued_requests() == 0 && steady::now() < deadline) std::this_thread::yield();
  auto refused = server.connect();
  const auto response = refused.ask(get);
  EXPECT_EQ(status_of(response), 503);
  EXPECT_TRUE(response->headers.contains("retry-after"));
  blocked.open();
  EXPECT_EQ(status_of(running.receive()), 200);
  EXPECT_EQ(status_of(queued.receive()), 200);
}

TEST(http_server_under_attack, answers_500_where_the_handler_throws) {
  running_server server{patient_options(),
                        [](const httplib::Request& request, httplib::Response& response) {
                          response.set_content("half done", "text/plain");
                          if (request.path == "/odd") throw 42;
                          throw std::runtime_error{"secret"};
                        }};
  auto client = server.connect();
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /odd HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    const auto response = client.ask(request);
    EXPECT_EQ(status_of(response), 500);
    EXPECT_EQ(response->headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(response->body.find("secret"), std::string::npos);
    EXPECT_FALSE(response->headers.contains("exception_what"));
  }
  EXPECT_EQ(server.failures(), 2);
}

TEST(http_server_under_attack, answers_500_instead_of_a_response_that_is_too_long) {
  auto options = patient_options();
  options.max_response_bytes = 1000;
  running_server server{options, [](const httplib::Request&, httplib::Response& response) {
                          response.set_content(std::string(2000, 'x'), "text/plain");
                        }};
  auto client = server.connect();
  EXPECT_EQ(status_of(client.ask(get)), 500);
  EXPECT_TRUE(client.is_closed());
}

TEST(http_server_under_attack, never_answers_with_the_response_of_another_request) {
  auto options = patient_options();
  options.workers = 8;
  running_server server{options};
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::async(std::launch::async, [&server, i] {
      int wrong = 0;
      for (int round = 0; round < 60; ++round) {
        auto client = server.connect();
        const auto name = std::to_string(i) + '-' + std::to_string(round) + '-';
        switch (round % 4) {
          case 0:  // breaks off the request
            client.send(post(name).substr(0, 60));
            break;
          case 1:  // never reads the answers
            client.send(post(name) + post(name));
            break;
          case 2:  // ends with bytes that are no request
            client.send(post(name + "a") + post(name + "b") + "nonsense\r\n");
            wrong += body_of(client.receive()) != name + "a";
            wrong += body_of(client.receive()) != name + "b";
            wrong += status_of(client.receive()) != 400;
            break;
          default:
            for (int request = 0; request < 10; ++request) {
              const auto body = name + std::to_string(request);
              wrong += body_of(client.ask(post(body))) != body;
            }
        }
      }
      return wrong;
    }));
  }
  for (auto& each : clients) EXPECT_EQ(each.get(), 0);
}

TEST(http_server_under_attack, does_nothing_while_its_connections_are_idle) {
  running_server server;
  std::vector<raw_http_client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(server.connect());
    ASSERT_EQ(status_of(clients.back().ask(get)), 200);
  }
  const auto used = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  };
  const auto before = used();
  EXPECT_FALSE(clients.front().hears_within(2s));
  EXPECT_LT(used() - before, 10ms);
}

}  // namespace
}  // namespace skanu
