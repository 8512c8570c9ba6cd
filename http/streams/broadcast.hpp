// The subscribers of an event stream (text/event-stream), their places in the stream and their
// unsent bytes. Knows sockets, but no thread, no clock and no actor.
//
// No subscriber has a queue. All share a ring of recent frames. A subscriber is a place in the
// ring, and the unsent rest of a frame that the socket took only in part. A subscriber further
// behind than the ring gets pages of history, a few subscribers at a time.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/server/file_descriptor.hpp"
#include "http/streams/event_ring.hpp"
#include "messages/lineage.hpp"

namespace skanu {

struct stream_options {
  std::size_t max_streams = 12'000;
  std::size_t max_streams_per_address = 0;  ///< For a single client address; 0: no limit.
  std::size_t ring_frames = 8'192;
  std::size_t ring_bytes = std::size_t{4} * 1024 * 1024;
  /// Time without any send until a subscriber gets a heartbeat.
  std::chrono::milliseconds heartbeat{15'000};
  /// The same for a subscriber that sees its heartbeats, at most `heartbeat`: a page that hears
  /// nothing for longer takes its stream for silent, and must learn so within five seconds.
  std::chrono::milliseconds visible_heartbeat{3'000};
  /// Time until a socket that takes none of its due bytes is reset.
  std::chrono::milliseconds write_timeout{10'000};
  /// Limit of pages of history under way at once; other subscribers wait for their turn.
  std::size_t catch_ups = 8;
  /// Pause before another request for history after a failed read.
  std::chrono::milliseconds history_pause{500};
};

/// The filter of a subscriber.
struct stream_filter {
  std::vector<entity_id> ids = {};  ///< Sorted, each once; none is no condition.
  std::uint8_t status = 0;          ///< 0 is no condition.
  bool takes(const stream_frame& f) const {
    return (ids.empty() || std::ranges::binary_search(ids, f.id)) &&
           (status == 0 || status == f.status);
  }
};

struct new_subscriber {
  file_descriptor socket;  ///< Non-blocking.
  std::string unsent;      ///< Unsent end of the response head.
  stream_filter filter;
  std::optional<log_offset> last_seen;    ///< Last id seen by the client; the stream resumes after.
  std::shared_ptr<void> place = nullptr;  ///< Released with the subscriber.
  std::string timeline = {};              ///< Timeline of the last event seen; empty where unknown.
  /// Heartbeats come as events "alive", the first at once, instead of as comments.
  bool visible_heartbeats = false;
};

/// A piece of the log, for a subscriber further behind than the ring.
struct history_page {
  std::vector<stream_frame> frames;
  log_offset next = 1;  ///< Start of the next page.
  log_offset end = 0;   ///< The log's last offset.
};

/// Names a subscriber; never used twice.
using subscriber_id = std::uint64_t;

class broadcast {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Asks for the page from an offset on; `take_history` takes the answer. Must not block.
  using history_asker = std::function<void(subscriber_id, log_offset from)>;

  broadcast(const stream_options& options, history_asker ask);
  ~broadcast();
  broadcast(const broadcast&) = delete;
  broadcast& operator=(const broadcast&) = delete;

  /// Adds a subscriber and sends the due bytes. Calls `watch(socket, id)` before the first byte. If
  /// `watch` returns false, the socket cannot be watched and the subscriber is dropped.
  void add(new_subscriber who, const std::function<bool(int, subscriber_id)>& watch,
           time_point now);

  /// Publishes frames. The first call brings the log's last frames, and streams begin after the
  /// last frame. Later calls bring new frames. `next` is the next offset of the log.
  void publish(std::vector<stream_frame> frames, log_offset next, time_point now);
  /// Sets the timelines of the log. A subscriber that last saw an event of another timeline begins
  /// at the end of the log.
  void set_timelines(lineage timelines) { timelines_ = std::move(timelines); }
  /// Drops every subscriber, since the log was replaced. The clients connect again.
  void start_over();
  /// Takes the requested page; nullopt where the page could not be read.
  void take_history(subscriber_id of, std::optional<history_page> page, time_point now);
  /// Repeats every unanswered request for history.
  void ask_again();

  /// Called when the subscriber's socket takes bytes again.
  void on_writable(subscriber_id who, time_point now);
  /// Called when the client has gone.
  void drop(subscriber_id who);

  /// Sends due heartbeats and resets subscribers whose sockets take no bytes. Returns the time of
  /// the next call, if any.
  std::optional<time_point> tick(time_point now);

  std::size_t size() const { return by_id_.size(); }
  const event_ring& ring() const { return ring_; }

 private:
  struct subscriber;
  using place = std::list<subscriber>::iterator;
  using group = std::vector<subscriber*>;

  void begin(subscriber& s, time_point now);
  void say_begin(subscriber& s);
  std::string heartbeat_for(const subscriber& s) const;
  std::chrono::milliseconds heartbeat_of(bool visible) const;
  std::list<subscriber>& list_of(const subscriber& s);
  bool saw_another_log(const new_subscriber& who) const;
  void advance(subscriber& s, time_point now);
  bool send_rest(subscriber& s, time_point now);
  template <class Frames>
  bool send_frames(subscriber& s, const Frames& frames, log_offset next, time_point now);
  void note_sent(subscriber& s, time_point now);
  void note_blocked(subscriber& s, bool took_something, time_point now);
  void want_history(subscriber& s);
  void ask_for_waiting(time_point now);
  void let_go(subscriber& s);
  std::vector<group*> groups_of(const stream_filter& f);
  void leave_groups(subscriber& s);

  const stream_options options_;
  history_asker ask_;
  event_ring ring_;
  bool begun_ = false;
  lineage timelines_;
  subscriber_id last_id_ = 0;

  // Every subscriber is in one of the three lists.
  std::list<subscriber> quiet_;    ///< In the order of the last send.
  std::list<subscriber> seeing_;   ///< The same, of subscribers that see their heartbeats.
  std::list<subscriber> blocked_;  ///< In the order of the sockets' last progress.
  std::unordered_map<subscriber_id, place> by_id_;

  // A subscriber is in a group for each id of its filter; without ids, in its status' or in all_.
  group all_;
  std::array<group, 16> by_status_;
  std::unordered_map<entity_id, group> by_entity_;

  std::deque<subscriber_id> waiting_;  ///< For their turn to get history.
  std::set<subscriber_id> asked_;      ///< Subscribers with a page under way; some may have gone.
  time_point ask_after_ = {};
};

}  // namespace skanu
