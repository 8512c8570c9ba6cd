// Who gets which event: the subscribers of an event stream (text/event-stream), their places in it
// and what they have yet to take. Knows sockets, but no thread, no clock and no actor.
//
// No subscriber has a queue. All share one ring of recent frames; a subscriber is a place in it,
// and the rest of the one frame that its socket did not take whole. One that is further behind than
// the ring gets pages of history, a few subscribers at a time.
#pragma once

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
  std::size_t max_streams_per_address = 0;  ///< Of one client address; 0: no such limit.
  std::size_t ring_frames = 8'192;
  std::size_t ring_bytes = 4 * 1024 * 1024;
  /// To those that got nothing else for so long a comment is sent.
  std::chrono::milliseconds heartbeat{15'000};
  /// A socket that takes nothing of what is due for so long is reset.
  std::chrono::milliseconds write_timeout{10'000};
  /// Subscribers whose page of history is under way at once; the others wait for their turn.
  std::size_t catch_ups = 8;
  /// Before history is asked for again that could not be read.
  std::chrono::milliseconds history_pause{500};
};

/// What a subscriber wants to see; 0 is no condition.
struct stream_filter {
  entity_id id = 0;
  std::uint8_t status = 0;
  bool takes(const stream_frame& f) const {
    return (id == 0 || id == f.id) && (status == 0 || status == f.status);
  }
};

struct new_subscriber {
  file_descriptor socket;  ///< Non-blocking.
  std::string unsent;      ///< Of what stands before the stream.
  stream_filter filter;
  std::optional<log_offset> last_seen;    ///< The id it resumes behind.
  std::shared_ptr<void> place = nullptr;  ///< Is let go when the subscriber is.
  std::string timeline = {};  ///< The identity of what it saw last; empty where it knows none.
};

/// A piece of the log, for one who is further behind than the ring.
struct history_page {
  std::vector<stream_frame> frames;
  log_offset next = 1;  ///< Where to go on.
  log_offset end = 0;   ///< The log's last offset.
};

/// Names a subscriber; never used twice.
using subscriber_id = std::uint64_t;

class broadcast {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Asks for the page from an offset on: `take_history` is due. Must not block.
  using history_asker = std::function<void(subscriber_id, log_offset from)>;

  broadcast(const stream_options& options, history_asker ask);
  ~broadcast();
  broadcast(const broadcast&) = delete;
  broadcast& operator=(const broadcast&) = delete;

  /// Takes it in, and sends what it is due. `watch(socket, id)` is called before the first byte is
  /// sent; false: it cannot be watched, and is let go.
  void add(new_subscriber who, const std::function<bool(int, subscriber_id)>& watch,
           time_point now);

  /// The first call says what the log's last frames are: streams begin behind them. Later ones,
  /// what is new. `next` is where the log goes on.
  void publish(std::vector<stream_frame> frames, log_offset next, time_point now);
  /// The identities of the log. Whoever saw last what is not in it begins behind what there is.
  void set_timelines(lineage timelines) { timelines_ = std::move(timelines); }
  /// The log is not the one it was: everybody is let go, and comes again.
  void start_over();
  /// The page that was asked for; nothing where it could not be read.
  void take_history(subscriber_id of, std::optional<history_page> page, time_point now);
  /// What was asked for and not answered is asked for once more.
  void ask_again();

  /// Its socket takes bytes again.
  void on_writable(subscriber_id who, time_point now);
  /// It has gone.
  void drop(subscriber_id who);

  /// Sends the heartbeats that are due, lets those go that take nothing. Returns when to call it
  /// again.
  std::optional<time_point> tick(time_point now);

  std::size_t size() const { return by_id_.size(); }
  const event_ring& ring() const { return ring_; }

 private:
  struct subscriber;
  using place = std::list<subscriber>::iterator;
  using group = std::vector<subscriber*>;

  void begin(subscriber& s, time_point now);
  void say_begin(subscriber& s);
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
  group& group_of(const stream_filter& f);
  void leave_group(subscriber& s);

  const stream_options options_;
  history_asker ask_;
  event_ring ring_;
  bool begun_ = false;
  lineage timelines_;
  subscriber_id last_id_ = 0;

  // Each is in one of the two lists.
  std::list<subscriber> quiet_;    ///< By when they were last sent something.
  std::list<subscriber> blocked_;  ///< By when their sockets last took something.
  std::unordered_map<subscriber_id, place> by_id_;

  group all_;
  std::array<group, 16> by_status_;
  std::unordered_map<entity_id, group> by_entity_;

  std::deque<subscriber_id> waiting_;  ///< For their turn to be given history.
  std::set<subscriber_id> asked_;      ///< Whose page is under way; some may have gone.
  time_point ask_after_ = {};
};

}  // namespace skanu
