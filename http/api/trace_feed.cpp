#include "http/api/trace_feed.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/supervision/failures.hpp"
#include "http/api/trace_frames.hpp"

namespace skanu {

namespace {

void append_frames(const event_batch& batch, std::string_view link_base,
                   std::vector<stream_frame>& to) {
  for (const auto& e : batch.events) {
    if (auto frame = frame_of(e.offset, e.body, batch.timelines, link_base)) {
      to.push_back(std::move(*frame));
    } else {
      spdlog::error("event=undecodable service=ordertrace offset={}", e.offset);
    }
  }
}

}  // namespace

trace_feed::trace_feed(caf::actor_config& config, event_log_actor log, frame_sink& to,
                       std::uint64_t seed, std::string link_base, feed_limits limits)
    : trace_feed_actor::base(config),
      log_(std::move(log)),
      to_(to),
      link_base_(std::move(link_base)),
      limits_(limits),
      random_(seed) {}

trace_feed::behavior_type trace_feed::make_behavior() {
  contain_failures(*this);
  next_ = to_.next();
  begun_ = next_ != 0;
  const auto me = caf::actor_cast<trace_feed_actor>(this);
  to_.set_source({[me](subscriber_id who, log_offset from) {
                    caf::anon_send(me, pull_atom::value, who, from);
                  },
                  [me] { caf::anon_send(me, resume_atom::value); }});
  send(log_, follow_atom::value, caf::actor_cast<follower_actor>(this));
  turn();
  return {[this](hint_atom, service) {
            more_ = true;
            if (doing_ == doing::nothing || doing_ == doing::pausing) turn();
          },
          [this](pull_atom, subscriber_id who, log_offset from) { read_history(who, from); },
          [this](resume_atom) {
            if (doing_ != doing::publishing && doing_ != doing::pausing) return;
            doing_ = doing::nothing;
            if (more_) turn();
          }};
}

void trace_feed::turn() {
  doing_ = doing::pulling;
  more_ = false;
  if (next_ != 0) return pull();
  request(log_, limits_.pull_timeout, pull_atom::value, log_query{1, 0, {}})
      .then(
          [this](const event_batch& batch) {
            learn(batch.timelines);
            next_ =
                std::max<log_offset>(1, batch.end + 1 - static_cast<log_offset>(limits_.recent));
            pull();
          },
          [this](const caf::error&) { pause(); });
}

void trace_feed::pull() {
  request(log_, limits_.pull_timeout, pull_atom::value,
          log_query{next_, limits_.batch, {}, std::string(timeline_at(timelines_, next_ - 1))})
      .then([this](const event_batch& batch) { take(batch); },
            [this](const caf::error&) { pause(); });
}

void trace_feed::take(const event_batch& batch) {
  failures_ = 0;
  if (batch.forked || batch.end + 1 < next_) {
    spdlog::error("event=log_forked consumer=trace-feed log=ordertrace end={} known={}", batch.end,
                  next_ - 1);
    to_.start_over();
    timelines_.clear();
    begun_ = false;
    next_ = 0;
    frames_.clear();
    return turn();
  }
  const bool grown = batch.next != next_;
  learn(batch.timelines);
  append_frames(batch, link_base_, frames_);
  next_ = batch.next;
  more_ = more_ || batch.more;
  // Streams begin after all events already in the log.
  if (!begun_ && batch.more) return pull();
  if (grown || !begun_) return publish();
  doing_ = doing::nothing;
  if (more_) turn();
}

void trace_feed::learn(const lineage& news) {
  const auto before = timelines_.size();
  extend(timelines_, news);
  if (timelines_.size() != before) to_.set_timelines(timelines_);
}

void trace_feed::publish() {
  doing_ = doing::publishing;
  begun_ = true;
  to_.publish(std::exchange(frames_, {}), next_);
}

void trace_feed::pause() {
  doing_ = doing::pausing;
  more_ = true;
  delayed_send(this, backoff(limits_.retry, ++failures_, random_), resume_atom::value);
}

void trace_feed::read_history(subscriber_id who, log_offset from) {
  request(log_, limits_.pull_timeout, pull_atom::value, log_query{from, limits_.page, {}})
      .then(
          [this, who](const event_batch& batch) {
            history_page page{{}, batch.next, batch.end};
            append_frames(batch, link_base_, page.frames);
            to_.give_history(who, std::move(page));
          },
          [this, who](const caf::error&) { to_.give_history(who, std::nullopt); });
}

}  // namespace skanu
