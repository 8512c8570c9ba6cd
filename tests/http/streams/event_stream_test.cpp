// The thread around a broadcast: sockets arrive, are watched, and leave.
#include "http/streams/event_stream.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/stream_peers.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

/// Reads until the text ends with `end`, ten seconds at most.
std::string read_until(stream_peer& p, std::string_view end) {
  std::string got;
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!got.ends_with(end) && std::chrono::steady_clock::now() < until) {
    pollfd one{p.socket(), POLLIN, 0};
    ::poll(&one, 1, 100);
    got += p.read();
    if (p.ended()) break;
  }
  return got;
}

template <class Predicate>
bool soon(Predicate holds) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!holds() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return holds();
}

TEST(event_stream, sends_to_subscribers_of_many_threads_what_is_published) {
  event_stream stream{stream_options{}};
  std::atomic<int> published = 0;
  stream.set_source({[&](subscriber_id who, log_offset from) {
                       // Answers on another thread, like a log.
                       std::thread([&stream, who, from] {
                         stream.give_history(who, history_page{frames(from, 20), 21, 20});
                       }).detach();
                     },
                     [&] { ++published; }});
  stream.start();
  stream.publish(frames(11, 20), 21);
  std::vector<stream_peer> peers(64);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < peers.size(); i += 4)
        stream.subscribe(
            {peers[i].give(), "", {}, static_cast<log_offset>(i % 20), stream.take_place()});
    });
  for (log_offset at = 21; at <= 40; ++at) stream.publish(frames(at, at), at + 1);
  for (auto& t : threads) t.join();
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto from = static_cast<log_offset>(i % 20) + 1;
    EXPECT_EQ(read_until(peers[i], "<40>"), "retry: 2000\n\n" + text_of(from, 40));
  }
  EXPECT_TRUE(soon([&] { return published == 21; }));
  EXPECT_EQ(stream.next(), 41);
}

TEST(event_stream, takes_no_more_than_its_bound_until_one_has_gone) {
  stream_options options;
  options.max_streams = 2;
  event_stream stream{options};
  stream.start();
  stream_peer a, b;
  stream.subscribe({a.give(), "", {}, {}, stream.take_place()});
  stream.subscribe({b.give(), "", {}, {}, stream.take_place()});
  EXPECT_EQ(stream.take_place(), nullptr);
  a.close();
  EXPECT_TRUE(soon([&] { return stream.subscribers() == 1; }));
  EXPECT_NE(stream.take_place(), nullptr);
}

TEST(event_stream, takes_no_more_than_there_are_descriptors_for) {
  stream_options options;
  options.max_streams = 3;
  event_stream stream{options};
  stream.limit(1);
  stream.limit(2);
  const auto one = stream.take_place();
  EXPECT_NE(one, nullptr);
  EXPECT_EQ(stream.take_place(), nullptr);
}

TEST(event_stream, counts_each_address_for_itself_until_it_has_gone) {
  stream_options options;
  options.max_streams_per_address = 2;
  event_stream stream{options};
  auto first = stream.take_place("10.0.0.1");
  const auto second = stream.take_place("10.0.0.1");
  EXPECT_EQ(stream.take_place("10.0.0.1"), nullptr);
  EXPECT_NE(stream.take_place("10.0.0.2"), nullptr);
  first.reset();
  EXPECT_NE(stream.take_place("10.0.0.1"), nullptr);
  EXPECT_EQ(stream.subscribers(), 1U);
}

TEST(event_stream, what_a_source_did_not_answer_is_asked_of_the_one_in_its_place) {
  event_stream stream{stream_options{}};
  std::atomic<subscriber_id> asked_first = 0, asked_next = 0;
  stream.set_source({[&](subscriber_id who, log_offset) { asked_first = who; }, {}});
  stream.start();
  stream.publish(frames(11, 20), 21);
  stream_peer a;
  stream.subscribe({a.give(), "", {}, 4, stream.take_place()});
  ASSERT_TRUE(soon([&] { return asked_first != 0; }));
  stream.set_source({[&](subscriber_id who, log_offset) { asked_next = who; }, {}});
  ASSERT_TRUE(soon([&] { return asked_next != 0; }));
  stream.give_history(asked_next, history_page{frames(5, 20), 21, 20});
  EXPECT_EQ(read_until(a, "<20>"), "retry: 2000\n\n" + text_of(5, 20));
  stream.stop();
}

TEST(event_stream, of_another_log_nothing_is_gone_on_with) {
  event_stream stream{stream_options{}};
  stream.start();
  stream.publish(frames(1, 5), 6);
  stream_peer a;
  stream.subscribe({a.give(), "", {}, {}, stream.take_place()});
  read_until(a, "data: {}\n\n");
  stream.start_over();
  EXPECT_EQ(stream.next(), 0) << "a source that comes now begins anew, too";
  EXPECT_TRUE(soon([&] { return a.closed(); }));
}

TEST(event_stream, closes_every_stream_at_once_when_it_stops) {
  event_stream stream{stream_options{}};
  stream.start();
  std::array<stream_peer, 3> peers;
  for (auto& p : peers) stream.subscribe({p.give(), "", {}, {}, stream.take_place()});
  stream.publish({}, 1);
  for (auto& p : peers) read_until(p, "data: {}\n\n");
  stream.stop();
  for (auto& p : peers) EXPECT_TRUE(p.closed());
  EXPECT_EQ(stream.take_place(), nullptr);
  stream_peer late;
  stream.subscribe({late.give(), "", {}, {}});
  EXPECT_TRUE(late.closed());
  EXPECT_EQ(stream.subscribers(), 0U);
}

TEST(event_stream, a_socket_that_was_full_goes_on_when_it_is_read) {
  event_stream stream{stream_options{}};
  std::atomic<int> published = 0;
  stream.set_source({{}, [&] { ++published; }});
  stream.start();
  stream.publish({}, 1);
  stream_peer slow;
  stream.subscribe({slow.give(), "", {}, {}, stream.take_place()});
  std::string expected;
  for (log_offset at = 1; at <= 100; ++at) {
    stream.publish({frame(at, 1, 1, 20'000)}, at + 1);
    expected += frame(at, 1, 1, 20'000).text;
  }
  ASSERT_TRUE(soon([&] { return published == 101; }));
  stream.publish({frame(101)}, 102);
  const auto got = read_until(slow, "<101>");
  EXPECT_TRUE(got.ends_with(expected + "<101>")) << got.size();
}

}  // namespace
}  // namespace skanu
