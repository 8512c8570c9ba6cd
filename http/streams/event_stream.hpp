// Server-sent events: one thread that holds the sockets of all subscribers and sends each of them
// what it is due (broadcast.hpp). Knows no actor; where the events come from is a source's concern.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "http/streams/broadcast.hpp"

namespace skanu {

/// Where the events come from. Called on the stream's thread; must neither block nor call the
/// stream.
struct stream_source {
  /// Asks for a page of the log from an offset on; `give_history` answers, whatever comes of it.
  std::function<void(subscriber_id, log_offset from)> ask_history;
  /// What was published has gone out as far as the sockets took it: more may be published.
  std::function<void()> published;
};

/// Where a source's events go. Thread-safe.
class frame_sink {
 public:
  virtual ~frame_sink() = default;

  /// The source is another one now: what was asked of the one before is asked of this one.
  virtual void set_source(stream_source source) = 0;
  /// The identities of the log, before anything of it is published.
  virtual void set_timelines(lineage) {}
  /// New frames, up to `next`. The first call gives the most recent ones of the log. After each,
  /// the source waits until `published`: nothing piles up here.
  virtual void publish(std::vector<stream_frame> frames, log_offset next) = 0;
  virtual void give_history(subscriber_id to, std::optional<history_page> page) = 0;
  /// The log turned out to be another one: every stream is closed, and the next `publish` is the
  /// first.
  virtual void start_over() = 0;
  /// Where publishing goes on; 0 before the first.
  virtual log_offset next() const = 0;
};

/// Thread-safe.
class event_stream final : public frame_sink {
 public:
  explicit event_stream(const stream_options& options);
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  /// Stops.
  ~event_stream() override;

  /// Lowers the bound on subscribers. Before the first of them comes.
  void limit(std::size_t max_streams);
  void start();
  /// Closes every stream at once. Idempotent.
  void stop();

  /// Room for one more subscriber from this address, for as long as it is held; null where there is
  /// none, or it has stopped.
  std::shared_ptr<void> take_place(const std::string& address = {});
  /// Takes a socket whose response head is sent, but for `unsent`.
  void subscribe(new_subscriber who);

  void set_source(stream_source source) override;
  void set_timelines(lineage timelines) override;
  void publish(std::vector<stream_frame> frames, log_offset next) override;
  void give_history(subscriber_id to, std::optional<history_page> page) override;
  void start_over() override;
  log_offset next() const override { return next_.load(); }

  std::size_t subscribers() const;

 private:
  using job = std::function<void(broadcast&, broadcast::time_point)>;
  struct places;

  void run();
  void post(job j);
  void wake();
  bool watch(int socket, subscriber_id id);

  const stream_options options_;
  std::size_t max_streams_;
  std::shared_ptr<places> places_;
  std::atomic<log_offset> next_ = 0;
  file_descriptor epoll_;
  file_descriptor wake_up_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  /// At most one publication, a page for each of those that catch up, and the subscribers.
  std::vector<job> jobs_;
  stream_source source_;
  std::mutex stop_mutex_;
  std::thread thread_;
};

}  // namespace skanu
