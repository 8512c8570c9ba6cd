// The feed of the streams: frames from a log, in virtual time.
#include "http/api/trace_feed.hpp"

#include <gtest/gtest.h>

#include "actors/consumers/event_log.hpp"
#include "http/api/trace_frames.hpp"
#include "messages/order_trace.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

std::string change(entity_id id, trace_status status = trace_status::paid) {
  return encode_event(
      trace_event(trace_changed{{id, id, 7, R"(Co","status":"ffee)", 2, 9'000, status, true, {}}}),
      1, "2026-11-22T12:00:00.000Z");
}

/// A log that answers the waiting pull with `batch` on a hint.
event_log_actor::behavior_type held_log(event_log_actor::pointer self, int* pulls,
                                        const event_batch* batch) {
  auto waiting = std::make_shared<caf::typed_response_promise<event_batch>>();
  return {[=](pull_atom, const log_query&) {
            ++*pulls;
            return *waiting = self->make_response_promise<event_batch>();
          },
          [](follow_atom, const follower_actor&) {}, [=](hint_atom) { waiting->deliver(*batch); }};
}

class recording_sink final : public frame_sink {
 public:
  void set_source(stream_source s) override { source = std::move(s); }
  void publish(std::vector<stream_frame> frames, log_offset next) override {
    std::string text = "next " + std::to_string(next) + ":";
    for (const auto& f : frames) text += " " + std::to_string(f.offset);
    told.push_back(std::move(text));
    next_ = next;
  }
  void give_history(subscriber_id to, std::optional<history_page> page) override {
    told.push_back("history of " + std::to_string(to) + ": " +
                   (page ? std::to_string(page->frames.size()) + " frames, next " +
                               std::to_string(page->next) + " of " + std::to_string(page->end)
                         : "none"));
  }
  void start_over() override {
    told.push_back("start over");
    next_ = 0;
  }
  log_offset next() const override { return next_; }

  std::vector<std::string> take() { return std::exchange(told, {}); }

  stream_source source;
  std::vector<std::string> told;

 private:
  log_offset next_ = 0;
};

using words = std::vector<std::string>;

class trace_feed_test : public actor_fixture {
 protected:
  trace_feed_test() {
    log = keep(system.spawn(event_log, &env(service::ordertrace), service::ordertrace));
  }
  ~trace_feed_test() override { to.source = {}; }

  trace_feed_actor start_feed(feed_limits limits = {}) {
    auto feed = start<trace_feed>(log, to, seeds.next(), "", limits);
    run();
    return feed;
  }

  void happen(int count) {
    append_events(data, service::ordertrace,
                  std::vector<std::string>(static_cast<std::size_t>(count), change(1)));
    caf::anon_send(log, hint_atom::value);
    run();
  }

  void gone_out() {
    to.source.published();
    run();
  }

  recording_sink to;
  event_log_actor log;
};

TEST(trace_frames, show_the_trace_as_rest_does_with_the_time_of_its_change) {
  const auto f = frame_of(9, change(42));
  ASSERT_TRUE(f);
  EXPECT_EQ(f->id, 42);
  EXPECT_EQ(f->status, static_cast<std::uint8_t>(trace_status::paid));
  EXPECT_EQ(
      f->text,
      "id: 9\nevent: trace\n"
      R"(data: {"id":42,"orderId":42,"productId":7,"productName":"Co\",\"status\":\"ffee","qty":2,)"
      R"("cost":9000,"status":"PAY END","timestamp":"2026-11-22T12:00:00.000Z",)"
      R"("_links":{"self":{"href":"/orderTraces/42"},"order":{"href":"/orders/42"},)"
      R"("events":{"href":"/orderTraces/42/events"}}})"
      "\n\n");
}

TEST(trace_frames, are_of_nothing_else) {
  for (const auto* text :
       {"", "{}", R"({"eventType":"Paid","id":1})", R"({"eventType":"TraceChanged","id":1})",
        R"({"eventType":"TraceChanged","timestamp":"x","id":1,"status":"?"})"})
    EXPECT_FALSE(frame_of(1, text)) << text;
}

TEST_F(trace_feed_test, begins_with_the_most_recent_events_and_goes_on_with_each_new_one) {
  append_events(data, service::ordertrace, words(10, change(1)));
  start_feed({.recent = 4, .batch = 3});
  EXPECT_EQ(to.take(), words{"next 11: 7 8 9 10"});
  gone_out();
  happen(1);
  EXPECT_EQ(to.take(), words{"next 12: 11"});
  happen(1);
  EXPECT_EQ(to.take(), words{}) << "what was published has not gone out";
  gone_out();
  EXPECT_EQ(to.take(), words{"next 13: 12"});
  gone_out();
  EXPECT_EQ(to.take(), words{});
}

TEST_F(trace_feed_test, begins_an_empty_log_too) {
  start_feed();
  EXPECT_EQ(to.take(), words{"next 1:"});
}

TEST_F(trace_feed_test, passes_over_what_it_cannot_read) {
  append_events(data, service::ordertrace, {change(1), "no event", change(1)});
  start_feed();
  EXPECT_EQ(to.take(), words{"next 4: 1 3"});
}

TEST_F(trace_feed_test, one_that_takes_anothers_place_goes_on_where_that_one_published) {
  append_events(data, service::ordertrace, words(3, change(1)));
  const auto first = start_feed();
  caf::anon_send_exit(first, caf::exit_reason::kill);
  run();
  happen(2);
  to.take();
  start_feed();
  EXPECT_EQ(to.take(), words{"next 6: 4 5"});
}

TEST_F(trace_feed_test, reads_pages_of_history) {
  append_events(data, service::ordertrace, words(10, change(1)));
  start_feed({.recent = 1, .page = 4});
  to.take();
  to.source.ask_history(7, 3);
  to.source.ask_history(8, 9);
  to.source.ask_history(9, 99);
  run();
  EXPECT_EQ(to.take(),
            (words{"history of 7: 4 frames, next 7 of 10", "history of 8: 2 frames, next 11 of 10",
                   "history of 9: 0 frames, next 99 of 10"}));
}

TEST_F(trace_feed_test, starts_over_where_the_log_went_back) {
  append_events(data, service::ordertrace, words(3, change(1)));
  start_feed();
  gone_out();
  happen(2);
  gone_out();
  to.take();
  // The same sink, with a new feed over a log restored from an older copy.
  recording_sink& sink = to;
  sink.publish({}, 100);
  sink.take();
  start_feed();
  EXPECT_EQ(to.take(), (words{"start over", "next 6: 1 2 3 4 5"}));
}

TEST_F(trace_feed_test, what_happens_while_the_log_is_read_is_read_next) {
  int pulls = 0;
  event_batch batch{{}, 1, false, 0};
  log = keep(system.spawn(held_log, &pulls, &batch));
  const auto answer = [&] {
    caf::anon_send(log, hint_atom::value);
    run();
  };
  const auto feed = start_feed();
  answer();
  ASSERT_EQ(pulls, 2);
  caf::anon_send(feed, hint_atom::value, service::ordertrace);
  run();
  answer();
  EXPECT_EQ(to.take(), words{"next 1:"});
  gone_out();
  ASSERT_EQ(pulls, 3);
  batch = {{{1, change(1)}}, 2, false, 1};
  answer();
  EXPECT_EQ(to.take(), words{"next 2: 1"});
}

TEST_F(trace_feed_test, a_log_that_does_not_answer_is_asked_again_and_waited_for) {
  int pulls = 0;
  log = keep(system.spawn(silent_log, &pulls));
  start_feed();
  EXPECT_EQ(pulls, 1);
  to.source.ask_history(7, 3);
  advance(seconds(6));
  EXPECT_GE(pulls, 3);
  EXPECT_EQ(to.take(), words{"history of 7: none"});
}

}  // namespace
}  // namespace skanu
