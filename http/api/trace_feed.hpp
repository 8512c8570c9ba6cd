// Feeds the streams from the trace view's log. The feed follows the log like any consumer, on any
// node, and reads history for subscribers that are far behind.
#pragma once

#include <random>

#include "actors/operations/backoff.hpp"
#include "http/streams/event_stream.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

struct feed_limits {
  std::size_t recent = 4'096;  ///< Latest events of the log, given to the streams at the start.
  std::size_t batch = 1'000;
  std::size_t page = 512;  ///< Events in a page of history.
  std::chrono::milliseconds pull_timeout{5'000};
  backoff_settings retry = {};
};

/// Feeds the trace view's log to the streams of the HTTP front.
using trace_feed_actor = follower_actor::extend<
    // From the streams: reads the log from an offset on, for the subscriber with the number.
    caf::reacts_to<pull_atom, subscriber_id, log_offset>,
    // From the streams: all published frames have gone out. From itself: tries again.
    caf::reacts_to<resume_atom>>;

/// `to` outlives the actor. A successor goes on after the events that its predecessor published.
class trace_feed final : public trace_feed_actor::base {
 public:
  trace_feed(caf::actor_config& config, event_log_actor log, frame_sink& to, std::uint64_t seed,
             std::string link_base = {}, feed_limits limits = {});

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
  std::string link_base_;
  feed_limits limits_;
  std::mt19937_64 random_;
  doing doing_ = doing::nothing;
  log_offset next_ = 0;  ///< 0: the end of the log is not known yet.
  lineage timelines_;    ///< Known timelines of the log.
  bool begun_ = false;   ///< Set by the first publication: streams go on from there.
  bool more_ = false;
  int failures_ = 0;
  std::vector<stream_frame> frames_;  ///< To be published.
};

}  // namespace skanu
