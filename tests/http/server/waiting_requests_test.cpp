// Requests waiting on a worker pool's fibers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "http/server/connection.hpp"
#include "http/server/oneshot.hpp"
#include "http/server/worker_pool.hpp"
#include "tests/support/running_server.hpp"

namespace skanu {
namespace {

using steady = std::chrono::steady_clock;
using text_place = oneshot<std::string>;

/// The oneshots that requests wait for, by path.
class waiting_requests {
 public:
  /// The handler: waits until the test answers; the answer is "late" after `patience`.
  void operator()(const httplib::Request& request, httplib::Response& response,
                  std::chrono::milliseconds patience = 10s) {
    const auto place = std::make_shared<text_place>();
    {
      const std::lock_guard lock{mutex_};
      places_[request.path] = place;
    }
    changed_.notify_all();
    response.set_content(place->wait_until(steady::now() + patience).value_or("late"),
                         "text/plain");
  }

  bool has(size_t wanted) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 10s, [&] { return places_.size() >= wanted; });
  }

  std::vector<std::string> paths() {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> all;
    for (const auto& [path, place] : places_) all.push_back(path);
    return all;
  }

  void answer(const std::string& path) {
    const std::lock_guard lock{mutex_};
    places_.at(path)->deliver("for " + path);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<text_place>> places_;
};

std::string get_of(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

server_options on_one_thread() {
  auto options = patient_options();
  options.threads = 1;
  options.workers = 64;
  return options;
}

TEST(waiting_requests, hold_no_thread) {
  waiting_requests waits;
  running_server server{on_one_thread(), [&](const auto& request, auto& response) {
                          if (request.path == "/now") return echo(request, response);
                          waits(request, response);
                        }};
  std::deque<raw_http_client> clients;
  for (int i = 0; i < 63; ++i) {
    clients.push_back(server.connect());
    ASSERT_TRUE(clients.back().send(get_of("/" + std::to_string(i))));
  }
  ASSERT_TRUE(waits.has(63));
  EXPECT_EQ(body_of(server.connect().ask(get_of("/now"))), "GET/now");
  for (const auto& path : waits.paths()) waits.answer(path);
  for (int i = 0; i < 63; ++i)
    EXPECT_EQ(body_of(clients[static_cast<size_t>(i)].receive()), "for /" + std::to_string(i));
}

TEST(waiting_requests, are_no_more_than_allowed) {
  auto options = on_one_thread();
  options.workers = 2;
  waiting_requests waits;
  running_server server{options,
                        [&](const auto& request, auto& response) { waits(request, response); }};
  std::deque<raw_http_client> clients;
  for (const auto* path : {"/1", "/2"}) {
    clients.push_back(server.connect());
    ASSERT_TRUE(clients.back().send(get_of(path)));
  }
  ASSERT_TRUE(waits.has(2));
  clients.push_back(server.connect());
  ASSERT_TRUE(clients.back().send(get_of("/3")));
  const auto until = steady::now() + 10s;
  while (server->queued_requests() == 0 && steady::now() < until) std::this_thread::yield();
  EXPECT_EQ(server->queued_requests(), 1u);
  waits.answer("/1");
  ASSERT_TRUE(waits.has(3));
  waits.answer("/2");
  waits.answer("/3");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(body_of(clients[static_cast<size_t>(i)].receive()), "for /" + std::to_string(i + 1));
}

TEST(waiting_requests, give_up_in_the_order_of_their_deadlines) {
  waiting_requests waits;
  std::mutex mutex;
  std::vector<std::string> order;
  running_server server{on_one_thread(), [&](const auto& request, auto& response) {
                          waits(request, response, request.path == "/soon" ? 50ms : 150ms);
                          const std::lock_guard lock{mutex};
                          order.push_back(request.path);
                        }};
  auto later = server.connect();
  ASSERT_TRUE(later.send(get_of("/later")));
  ASSERT_TRUE(waits.has(1));
  auto soon = server.connect();
  ASSERT_TRUE(soon.send(get_of("/soon")));
  EXPECT_EQ(body_of(soon.receive()), "late");
  EXPECT_EQ(body_of(later.receive()), "late");
  EXPECT_EQ(order, (std::vector<std::string>{"/soon", "/later"}));
}

TEST(waiting_requests, are_answered_each_with_its_own_however_they_interleave) {
  auto options = patient_options();
  options.threads = 2;
  options.workers = 64;
  waiting_requests waits;
  running_server server{options,
                        [&](const auto& request, auto& response) { waits(request, response); }};
  const auto seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random{seed};
  std::deque<raw_http_client> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(server.connect());
  std::set<std::string> answered;
  for (int round = 0; round < 20; ++round) {
    const auto path_of = [&](int i) {
      return "/" + std::to_string(round) + "-" + std::to_string(i);
    };
    for (int i = 0; i < 32; ++i)
      ASSERT_TRUE(clients[static_cast<size_t>(i)].send(get_of(path_of(i))));
    ASSERT_TRUE(waits.has(32 * static_cast<size_t>(round + 1)));
    auto paths = waits.paths();
    std::ranges::shuffle(paths, random);
    for (const auto& path : paths)
      if (answered.insert(path).second) waits.answer(path);
    for (int i = 0; i < 32; ++i)
      ASSERT_EQ(body_of(clients[static_cast<size_t>(i)].receive()), "for " + path_of(i)) << seed;
  }
}

TEST(waiting_requests, that_throw_after_their_wait_are_answered_500_and_harm_no_other) {
  waiting_requests waits;
  running_server server{on_one_thread(), [&](const auto& request, auto& response) {
                          waits(request, response);
                          if (request.path == "/bad") throw std::runtime_error{"bad"};
                        }};
  auto bad = server.connect(), good = server.connect();
  ASSERT_TRUE(bad.send(get_of("/bad")));
  ASSERT_TRUE(good.send(get_of("/good")));
  ASSERT_TRUE(waits.has(2));
  waits.answer("/bad");
  waits.answer("/good");
  EXPECT_EQ(status_of(bad.receive()), 500);
  EXPECT_EQ(body_of(good.receive()), "for /good");
  EXPECT_EQ(server.failures(), 1);
}

TEST(waiting_requests, are_finished_by_a_stop) {
  waiting_requests waits;
  running_server server{on_one_thread(),
                        [&](const auto& request, auto& response) { waits(request, response); }};
  auto client = server.connect();
  ASSERT_TRUE(client.send(get_of("/last")));
  ASSERT_TRUE(waits.has(1));
  std::thread stop{[&] { server->stop(); }};
  waits.answer("/last");
  EXPECT_EQ(body_of(client.receive()), "for /last");
  stop.join();
}

TEST(waiting_requests, may_pause_with_nothing_to_wait_for) {
  running_server server{on_one_thread(), [](const auto& request, auto& response) {
                          if (request.path == "/pause") pause_until(steady::now() + 30ms);
                          echo(request, response);
                        }};
  auto pausing = server.connect();
  const auto began = steady::now();
  ASSERT_TRUE(pausing.send(get_of("/pause")));
  EXPECT_EQ(body_of(server.connect().ask(get_of("/now"))), "GET/now");
  EXPECT_EQ(body_of(pausing.receive()), "GET/pause");
  EXPECT_GE(steady::now() - began, 30ms);
}

/// Requests for a pool, without a client.
class bare_requests {
  server_options options_;
  std::atomic<bool> last_call_{false};
  responder responder_{{}, {}, {}, 0, last_call_};
  byte_budget budget_{0};

 public:
  connection waiting{file_descriptor{}, {}, options_, responder_, budget_};
  connection other{file_descriptor{}, {}, options_, responder_, budget_};
};

TEST(worker_pool, begins_a_request_although_one_that_was_woken_meanwhile_blocks_its_thread) {
  for (int round = 0; round < 200; ++round) {
    bare_requests requests;
    text_place place;
    gate waits, others_turn;
    bool had_its_turn = false;
    worker_pool pool{{.threads = 2, .requests = 8, .queued = 8}, [&](connection& each) {
                       if (&each == &requests.other) return others_turn.open();
                       waits.open();
                       place.wait_until(steady::now() + 10s);
                       had_its_turn = others_turn.pass();
                     }};
    ASSERT_TRUE(pool.push(requests.waiting));
    ASSERT_TRUE(waits.pass());
    ASSERT_TRUE(pool.push(requests.other));
    place.deliver("here");
    ASSERT_TRUE(others_turn.pass());
    pool.stop();
    ASSERT_TRUE(had_its_turn) << round;
  }
}

TEST(oneshot, lets_a_plain_thread_wait) {
  const auto place = std::make_shared<text_place>();
  std::thread other{[place] { place->deliver("here"); }};
  EXPECT_EQ(place->wait_until(steady::now() + 10s), "here");
  other.join();
  EXPECT_EQ(place->wait_until(steady::now() + 1ms), std::nullopt);
}

TEST(oneshot, keeps_the_first_value) {
  text_place place;
  place.deliver("first");
  place.deliver("second");
  EXPECT_EQ(place.wait_until(steady::now()), "first");
}

}  // namespace
}  // namespace skanu
