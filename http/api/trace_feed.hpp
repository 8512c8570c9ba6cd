// Brings what the trace view's log says to the streams: follows the log as any consumer does,
// wherever it is, and reads history for those who are far behind.
#pragma once

#include <random>

#include "actors/operations/backoff.hpp"
#include "http/streams/event_stream.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct feed_limits {
  std::size_t recent = 4'096;  ///< Events that the streams are begun with, of a log that has them.
  std::size_t batch = 1'000;
  std::size_t page = 512;  ///< Of history.
  std::chrono::milliseconds pull_timeout{5'000};
  backoff_settings retry = {};
};

/// Brings the trace view's log to the streams of the HTTP front.
using trace_feed_actor = follower_actor::extend<
    // From the streams: the log from an offset on, for the subscriber of that number.
    caf::reacts_to<pull_atom, subscriber_id, log_offset>,
    // From the streams: what was published has gone out. From itself: try again.
    caf::reacts_to<resume_atom>>;

/// `to` outlives the actor. One that takes another's place goes on where that one published last.
class trace_feed final : public trace_feed_actor::base {
 public:
  trace_feed(caf::actor_config& config, event_log_actor log, frame_sink& to, std::uint64_t seed,
             feed_limits limits = {});

  const char* name() const override { return "trace_feed"; }
  behavior_type make_behavior() override;

 private:
  enum class doing { nothing, pulling, publishing, pausing };

  void turn();
  void pull();
  void take(const event_batch& batch);
  void learn(const lineage& news);
  void publish();
  void pause();
  void read_history(subscriber_id who, log_offset from);

  event_log_actor log_;
  frame_sink& to_;
  feed_limits limits_;
  std::mt19937_64 random_;
  doing doing_ = doing::nothing;
  log_offset next_ = 0;  ///< 0: where the log ends is not known yet.
  lineage timelines_;    ///< Of the log, as far as they are known.
  bool begun_ = false;   ///< Something was published: streams go on from there.
  bool more_ = false;
  int failures_ = 0;
  std::vector<stream_frame> frames_;  ///< To be published.
};

}  // namespace skanu
