// Server-sent events: a thread holds the sockets of all subscribers and sends the due frames
// (broadcast.hpp). Knows no actor; a source brings the events.
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

/// The source of the events. Called on the stream's thread; must neither block nor call the stream.
struct stream_source {
  /// Asks for a page of the log from an offset on. The source answers with `give_history`, in case
  /// of failure too.
  std::function<void(subscriber_id, log_offset from)> ask_history;
  /// Reports that a publication has gone out as far as the sockets took bytes. The source may
  /// publish more.
  std::function<void()> published;
};

/// Receives the events of a source. Thread-safe.
class frame_sink {
 public:
  virtual ~frame_sink() = default;

  /// Replaces the source. The new source gets the unanswered requests of the old source.
  virtual void set_source(stream_source source) = 0;
  /// Sets the timelines of the log, before the first publication.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): overriders keep the value
  virtual void set_timelines(lineage) {}
  /// Publishes new frames, up to `next`. The first call brings the most recent frames of the log.
  /// After each call the source waits for `published`, so that no frames pile up here.
  virtual void publish(std::vector<stream_frame> frames, log_offset next) = 0;
  virtual void give_history(subscriber_id to, std::optional<history_page> page) = 0;
  /// Closes every stream, since the log turned out to be another log. The next `publish` counts as
  /// the first.
  virtual void start_over() = 0;
  /// The next offset to publish; 0 before the first publication.
  virtual log_offset next() const = 0;
};

/// Thread-safe.
class event_stream final : public frame_sink {
 public:
  explicit event_stream(const stream_options& options);
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  /// Calls `stop`.
  ~event_stream() override;

  /// Lowers the bound on subscribers. To be called before the first subscriber.
  void limit(std::size_t max_streams);
  void start();
  /// Closes every stream at once. Idempotent.
  void stop();

  /// Reserves room for another subscriber from the address, until the place is released. Returns
  /// null where there is no room, or after `stop`.
  std::shared_ptr<void> take_place(const std::string& address = {});
  /// Adds a subscriber. The response head is sent, except for `unsent`.
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
  /// Holds at most a single publication, a page for each subscriber catching up, and new
  /// subscribers.
  std::vector<job> jobs_;
  stream_source source_;
  std::mutex stop_mutex_;
  std::thread thread_;
};

}  // namespace skanu
