// Distribution of events to subscribers, over socket pairs and with times set by the test.
#include "http/streams/broadcast.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/support/stream_peers.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

const std::string retry = "retry: 2000\n\n";

std::string begin_at(log_offset tail) {
  return retry + "id: " + std::to_string(tail) + "\nevent: begin\ndata: {}\n\n";
}

TEST(event_ring, keeps_no_more_bytes_than_its_bound_and_knows_what_it_let_go_of) {
  event_ring ring(10, 1'000);
  ring.begin(1);
  for (log_offset at = 1; at <= 4; ++at) ring.append(frame(at, 1, 1, 300));
  EXPECT_EQ(ring.frames().size(), 3U);
  EXPECT_EQ(ring.first(), 2);
  EXPECT_EQ(ring.next(), 5);
  ring.append(frame(9, 1, 1, 1'001));
  EXPECT_TRUE(ring.frames().empty()) << "alone it is more than the bound";
  EXPECT_EQ(ring.first(), 10);
  EXPECT_EQ(ring.next(), 10);
}

class broadcast_test : public testing::Test {
 protected:
  static stream_options small() {
    stream_options o;
    o.ring_frames = 10;
    o.catch_ups = 2;
    return o;
  }

  subscriber_id join(stream_peer& p, stream_filter filter = {},
                     std::optional<log_offset> last_seen = {}) {
    subscriber_id given = 0;
    to.add(
        {p.give(), "", filter, last_seen},
        [&](int, subscriber_id id) {
          given = id;
          return true;
        },
        now);
    return given;
  }

  void happen(log_offset from, log_offset until, entity_id id = 1) {
    to.publish(frames(from, until, id), until + 1, now);
  }

  /// Sets the log's last event to `tail`; the ring ends with `tail` and holds up to ten events.
  void begin_behind(log_offset tail) {
    to.publish(frames(std::max<log_offset>(1, tail - 9), tail), tail + 1, now);
  }

  /// Answers a question for history, from a log with `end` events.
  void answer(std::size_t question, log_offset end, std::size_t page = 4) {
    const auto [who, from] = asked.at(question);
    const auto last = std::min(end, from + static_cast<log_offset>(page) - 1);
    to.take_history(who, history_page{frames(from, last), std::max(from, last + 1), end}, now);
  }

  broadcast::time_point now{1h};
  std::vector<std::pair<subscriber_id, log_offset>> asked;
  broadcast to{small(),
               [this](subscriber_id who, log_offset from) { asked.emplace_back(who, from); }};
};

TEST_F(broadcast_test, begins_at_the_tail_and_goes_on_with_what_happens) {
  begin_behind(3);
  stream_peer a;
  join(a);
  EXPECT_EQ(a.read(), begin_at(3));
  happen(4, 5);
  EXPECT_EQ(a.read(), text_of(4, 5));
  happen(6, 6);
  EXPECT_EQ(a.read(), text_of(6, 6));
}

TEST_F(broadcast_test, who_comes_before_the_log_is_known_begins_with_it) {
  stream_peer a, b;
  join(a);
  join(b, {}, 2);
  EXPECT_EQ(a.read(), retry);
  EXPECT_EQ(b.read(), retry);
  begin_behind(3);
  EXPECT_EQ(a.read(), begin_at(3).substr(retry.size()));
  EXPECT_EQ(b.read(), text_of(3, 3));
}

TEST_F(broadcast_test, an_empty_log_begins_at_0) {
  to.publish({}, 1, now);
  stream_peer a, b;
  join(a);
  join(b, {}, 0);
  EXPECT_EQ(a.read(), begin_at(0));
  happen(1, 1);
  EXPECT_EQ(a.read(), text_of(1, 1));
  EXPECT_EQ(b.read(), retry + text_of(1, 1));
}

TEST_F(broadcast_test, resumes_behind_the_last_event_without_a_gap_or_a_double) {
  begin_behind(8);
  for (log_offset last = 0; last <= 8; ++last) {
    stream_peer a;
    join(a, {}, last);
    EXPECT_EQ(a.read(), retry + text_of(last + 1, 8)) << "last seen: " << last;
  }
  EXPECT_TRUE(asked.empty());
}

TEST_F(broadcast_test, shows_only_what_was_asked_for) {
  begin_behind(1);
  stream_peer of_2, of_status_3, of_both;
  join(of_2, {{2}, 0});
  join(of_status_3, {{}, 3});
  join(of_both, {{2}, 3});
  for (auto* p : {&of_2, &of_status_3, &of_both}) p->read();
  to.publish({frame(2, 1, 1), frame(3, 2, 1), frame(4, 1, 3), frame(5, 2, 3), frame(6, 2, 1)}, 7,
             now);
  EXPECT_EQ(of_2.read(), "<3><5><6>");
  EXPECT_EQ(of_status_3.read(), "<4><5>");
  EXPECT_EQ(of_both.read(), "<5>");
}

TEST_F(broadcast_test, one_behind_the_ring_gets_history_in_pages_and_then_what_is_new) {
  begin_behind(30);
  stream_peer a;
  join(a, {}, 15);
  std::string got;
  for (std::size_t page = 0; page < asked.size(); ++page) {
    happen(31 + static_cast<log_offset>(page), 31 + static_cast<log_offset>(page));
    answer(page, 31 + static_cast<log_offset>(page));
    got += a.read();
  }
  EXPECT_EQ(got, retry + text_of(16, to.ring().next() - 1));
  EXPECT_GE(asked.size(), 2U);
}

TEST_F(broadcast_test, the_event_that_the_ring_has_just_let_go_of_comes_from_history) {
  begin_behind(30);
  happen(31, 31);
  ASSERT_EQ(to.ring().frames().front().offset, 22);
  stream_peer a;
  join(a, {}, 20);
  ASSERT_EQ(asked.size(), 1U);
  answer(0, 31);
  EXPECT_EQ(a.read(), retry + text_of(21, 31));
}

TEST_F(broadcast_test, history_is_read_for_few_at_once) {
  begin_behind(30);
  std::array<stream_peer, 5> many;
  for (auto& p : many) join(p, {}, 10);
  EXPECT_EQ(asked.size(), 2U);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    EXPECT_LE(asked.size() - i, 2U) << "pages under way";
    answer(i, 30);
  }
  for (auto& p : many) EXPECT_EQ(p.read(), retry + text_of(11, 30));
}

TEST_F(broadcast_test, who_asks_for_history_and_goes_does_not_make_room_for_more_questions) {
  begin_behind(30);
  for (int i = 0; i < 50; ++i) {
    stream_peer p;
    to.drop(join(p, {}, 10));
  }
  EXPECT_EQ(asked.size(), 2U);
  stream_peer stays;
  join(stays, {}, 10);
  EXPECT_EQ(asked.size(), 2U);
  for (std::size_t i = 0; i < asked.size(); ++i) answer(i, 30);
  EXPECT_EQ(stays.read(), retry + text_of(11, 30));
}

TEST_F(broadcast_test, what_those_asked_who_have_gone_is_not_asked_of_another_source) {
  begin_behind(30);
  for (int i = 0; i < 2; ++i) {
    stream_peer p;
    to.drop(join(p, {}, 10));
  }
  stream_peer stays;
  join(stays, {}, 10);
  to.ask_again();
  to.tick(now);
  ASSERT_EQ(asked.size(), 3U);
  for (std::size_t i = 0; i < asked.size(); ++i) answer(i, 30);
  EXPECT_EQ(stays.read(), retry + text_of(11, 30));
}

TEST_F(broadcast_test, history_that_cannot_be_read_is_asked_for_again_after_a_pause) {
  begin_behind(30);
  stream_peer a;
  const auto who = join(a, {}, 10);
  ASSERT_EQ(asked.size(), 1U);
  to.take_history(who, std::nullopt, now);
  const auto next = to.tick(now);
  EXPECT_EQ(asked.size(), 1U);
  ASSERT_TRUE(next);
  now = *next;
  to.tick(now);
  ASSERT_EQ(asked.size(), 2U);
  for (std::size_t i = 1; i < asked.size(); ++i) answer(i, 30);
  EXPECT_EQ(a.read(), retry + text_of(11, 30));
}

TEST_F(broadcast_test, no_history_gets_into_a_heartbeat_that_the_socket_did_not_take_whole) {
  begin_behind(30);
  stream_peer a;
  auto socket = a.give();
  const auto raw = socket.get();
  subscriber_id who = 0;
  to.add(
      {std::move(socket), "", {}, 10},
      [&](int, subscriber_id id) {
        who = id;
        return true;
      },
      now);
  ASSERT_EQ(asked.size(), 1U);
  a.read();
  const std::string junk(4'096, '.');
  while (::send(raw, junk.data(), junk.size(), MSG_DONTWAIT) > 0) {
  }
  now += 15s;
  to.tick(now);
  a.read();
  answer(0, 30);
  to.on_writable(who, now);
  for (std::size_t i = 1; i < asked.size(); ++i) answer(i, 30);
  EXPECT_EQ(a.read(), ": alive\n\n" + text_of(11, 30));
}

TEST_F(broadcast_test, what_another_source_was_asked_is_asked_again_and_answered_once) {
  begin_behind(30);
  stream_peer a;
  join(a, {}, 20 - 4);
  to.ask_again();
  ASSERT_EQ(asked.size(), 2U);
  for (std::size_t i = 0; i < asked.size(); ++i) answer(i, 30);
  EXPECT_EQ(a.read(), retry + text_of(17, 30));
}

TEST_F(broadcast_test, one_that_saw_more_elsewhere_gets_nothing_twice) {
  begin_behind(5);
  stream_peer a;
  join(a, {}, 7);
  ASSERT_EQ(asked.size(), 1U);
  answer(0, 9);  // the log has these events, but this gateway has not received them yet
  happen(6, 6);
  happen(7, 8);
  happen(9, 9);
  EXPECT_EQ(a.read(), retry + text_of(8, 9));
}

TEST_F(broadcast_test, one_that_saw_all_there_is_elsewhere_does_not_begin_anew) {
  begin_behind(5);
  stream_peer a;
  join(a, {}, 9);
  ASSERT_EQ(asked.size(), 1U);
  answer(0, 9);
  happen(6, 9);
  happen(10, 10);
  EXPECT_EQ(a.read(), retry + text_of(10, 10));
}

TEST_F(broadcast_test, an_id_that_was_never_sent_begins_at_the_tail) {
  begin_behind(5);
  stream_peer a;
  join(a, {}, 1'000);
  answer(0, 5);
  EXPECT_EQ(a.read(), begin_at(5));
  happen(6, 6);
  EXPECT_EQ(a.read(), text_of(6, 6));
}

TEST_F(broadcast_test, who_got_nothing_else_gets_a_heartbeat) {
  begin_behind(1);
  stream_peer busy, idle;
  join(busy, {{1}, 0});
  join(idle, {{2}, 0});
  busy.read(), idle.read();
  now += 10s;
  happen(2, 2);
  busy.read();
  const auto next = to.tick(now);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next - now, 5s);
  now = *next;
  to.tick(now);
  EXPECT_EQ(idle.read(), ": alive\n\n");
  EXPECT_EQ(busy.read(), "");
  now += 10s;
  to.tick(now);
  EXPECT_EQ(idle.read(), "");
  EXPECT_EQ(busy.read(), ": alive\n\n");
}

TEST_F(broadcast_test, several_orders_share_one_stream_and_leave_their_groups_with_it) {
  begin_behind(1);
  stream_peer both, of_2;
  const auto id = join(both, {{1, 2}, 0});
  join(of_2, {{2}, 0});
  both.read(), of_2.read();
  to.publish({frame(2, 1, 1), frame(3, 2, 1), frame(4, 3, 1)}, 5, now);
  EXPECT_EQ(both.read(), "<2><3>");
  EXPECT_EQ(of_2.read(), "<3>");
  to.drop(id);
  to.publish({frame(5, 1, 1), frame(6, 2, 1)}, 7, now);
  EXPECT_EQ(of_2.read(), "<6>");
}

TEST_F(broadcast_test, heartbeats_that_a_browser_can_see_are_events_the_first_at_once) {
  const std::string alive = "event: alive\ndata: {\"everyMs\":3000}\n\n";
  begin_behind(3);
  stream_peer fresh, resumed;
  const auto watch = [](int, subscriber_id) { return true; };
  to.add({fresh.give(), "", {}, {}, nullptr, {}, true}, watch, now);
  to.add({resumed.give(), "", {}, 3, nullptr, {}, true}, watch, now);
  EXPECT_EQ(fresh.read(), retry + alive + begin_at(3).substr(retry.size()));
  EXPECT_EQ(resumed.read(), retry + alive) << "without an event, too, it knows that it is heard";
  now += 3s;
  to.tick(now);
  EXPECT_EQ(fresh.read(), alive);
}

TEST_F(broadcast_test, a_page_that_sees_heartbeats_gets_them_within_seconds_and_nobody_else_does) {
  begin_behind(1);
  stream_peer page, program;
  const auto watch = [](int, subscriber_id) { return true; };
  to.add({page.give(), "", {}, {}, nullptr, {}, true}, watch, now);
  join(program);
  page.read(), program.read();
  for (int n = 0; n < 4; ++n) {
    const auto next = to.tick(now);
    ASSERT_TRUE(next);
    EXPECT_EQ(*next - now, 3s);
    now = *next;
    to.tick(now);
    EXPECT_EQ(page.read(), "event: alive\ndata: {\"everyMs\":3000}\n\n");
    EXPECT_EQ(program.read(), "");
  }
  now += 3s;
  to.tick(now);
  EXPECT_EQ(program.read(), ": alive\n\n");
}

TEST_F(broadcast_test, one_that_takes_nothing_for_too_long_is_let_go_and_nobody_else_waits_for_it) {
  begin_behind(1);
  stream_peer slow, quick;
  auto held = std::make_shared<int>();
  to.add(
      {slow.give(), "", {}, {}, held}, [](int, subscriber_id) { return true; }, now);
  join(quick);
  quick.read();
  now += 14s;  // long after the slow subscriber last took bytes
  std::string got;
  for (log_offset at = 2; at < 2'000; ++at) {
    to.publish({frame(at, 1, 1, 4'000)}, at + 1, now);
    got += quick.read();
  }
  EXPECT_EQ(got.size(), 1'998U * 4'000);
  now += 9s;
  to.tick(now);
  EXPECT_EQ(to.size(), 2U);
  now += 2s;
  to.tick(now);
  EXPECT_EQ(to.size(), 1U);
  EXPECT_EQ(held.use_count(), 1) << "its place is free again";
}

// Without other events no caller runs tick() in time, so tick() must return the due time.
TEST_F(broadcast_test, asks_to_be_called_when_one_that_takes_nothing_has_to_go) {
  begin_behind(1);
  stream_peer slow;
  const auto who = join(slow);
  to.publish({frame(2, 1, 1, 1'000'000)}, 3, now);
  const auto due = now + 10s;
  EXPECT_EQ(to.tick(now), due);
  now += 9s;
  to.on_writable(who, now);
  EXPECT_EQ(to.tick(now), due) << "its socket took nothing";
  now = due;
  to.tick(now);
  EXPECT_EQ(to.size(), 0U);
}

// After a plain close the kernel would keep the untaken bytes for as long as the client stays.
TEST_F(broadcast_test, the_connection_of_one_that_takes_nothing_is_reset) {
  const file_descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* where = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), where, size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), where, &size), 0);
  const file_descriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(::connect(client.get(), where, size), 0);
  file_descriptor accepted{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK)};
  to.publish({}, 1, now);
  to.add(
      {std::move(accepted), "", {}, {}}, [](int, subscriber_id) { return true; }, now);
  for (log_offset at = 1; at <= 20; ++at) to.publish({frame(at, 1, 1, 1'000'000)}, at + 1, now);
  now += 10s;
  to.tick(now);
  ASSERT_EQ(to.size(), 0U);
  const timeval patience{10, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::array<char, 65'536> bytes;
  ssize_t got = 1;
  while (got > 0) got = ::recv(client.get(), bytes.data(), bytes.size(), 0);
  EXPECT_EQ(got, -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(broadcast_test, a_slow_one_that_falls_behind_the_ring_misses_nothing) {
  begin_behind(1);
  stream_peer slow;
  const auto who = join(slow);
  const auto size = std::size_t{4'000};
  const auto part = [&](log_offset from, log_offset until) {
    std::vector<stream_frame> list;
    for (auto at = from; at <= until; ++at) list.push_back(frame(at, 1, 1, size));
    return list;
  };
  for (log_offset at = 2; at <= 500; ++at) to.publish(part(at, at), at + 1, now);
  auto got = slow.read().substr(begin_at(1).size());
  EXPECT_LT(got.size(), 499 * size) << "its socket takes no more";
  std::size_t question = 0;
  for (int round = 0; got.size() < 499 * size && round < 1'000; ++round) {
    to.on_writable(who, now);
    if (question < asked.size()) {
      const auto from = asked[question++].second;
      const auto last = std::min<log_offset>(500, from + 7);
      to.take_history(who, history_page{part(from, last), last + 1, 500}, now);
    }
    got += slow.read();
  }
  std::string expected;
  for (const auto& f : part(2, 500)) expected += f.text;
  EXPECT_TRUE(got == expected) << got.size() << " bytes of " << expected.size();
}

TEST_F(broadcast_test, one_that_has_gone_is_let_go_in_whatever_it_waits_for) {
  begin_behind(30);
  std::array<stream_peer, 6> many;
  std::vector<subscriber_id> ids;
  for (auto& p : many) ids.push_back(join(p, {{3}, 0}, 10));
  for (const auto id : ids) to.drop(id);
  EXPECT_EQ(to.size(), 0U);
  answer(0, 30);
  answer(1, 30);
  stream_peer next;
  join(next, {}, 10);
  const auto questions = asked.size();
  ASSERT_GT(questions, 2U) << "nobody who has gone takes a turn";
  stream_peer broken;
  broken.close();
  join(broken);
  EXPECT_EQ(to.size(), 1U);
}

TEST_F(broadcast_test, those_who_stay_get_what_happens_whoever_goes_before_them) {
  begin_behind(1);
  std::array<stream_peer, 4> many;
  std::vector<subscriber_id> ids;
  for (auto& p : many) ids.push_back(join(p));
  for (auto& p : many) p.read();
  to.drop(ids[0]);
  to.drop(ids[3]);
  happen(2, 2);
  EXPECT_EQ(many[1].read(), "<2>");
  EXPECT_EQ(many[2].read(), "<2>");
}

TEST_F(broadcast_test, starting_over_lets_everybody_go_and_begins_anew) {
  begin_behind(5);
  stream_peer a, b;
  join(a);
  to.start_over();
  EXPECT_TRUE(a.closed());
  begin_behind(2);
  join(b, {}, 5);
  answer(0, 2);
  EXPECT_EQ(b.read(), begin_at(2));
}

}  // namespace
}  // namespace skanu
