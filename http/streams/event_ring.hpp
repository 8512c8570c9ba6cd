// The most recent frames of an event stream, within a bound.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>

#include "messages/lineage.hpp"

namespace skanu {

/// The id of an event in a stream: the offset in the log and, where known, the timeline of the
/// event.
inline std::string event_id(log_offset offset, const lineage& log) {
  auto id = std::to_string(offset);
  if (const auto timeline = timeline_at(log, offset); !timeline.empty())
    id.append("-").append(timeline);
  return id;
}

/// An event as sent to the subscribers.
struct stream_frame {
  log_offset offset = 0;  ///< Place in the log, and id in the stream.
  entity_id id = 0;       ///< Entity of the event.
  std::uint8_t status = 0;
  std::string text;  ///< The bytes to send.
};

/// Frames of ascending offsets. The length of a frame's text counts towards the bound in bytes.
class event_ring {
 public:
  event_ring(std::size_t most_frames, std::size_t most_bytes)
      : most_frames_(most_frames), most_bytes_(most_bytes) {}

  /// The ring has every frame with an offset from first() on and before next().
  log_offset first() const { return first_; }
  log_offset next() const { return next_; }

  /// Forgets all frames, and goes on with `next`.
  void begin(log_offset next) {
    frames_.clear();
    bytes_ = 0;
    first_ = next_ = next;
  }

  /// `frame.offset` is at least next(). Offsets in between have no frame.
  void append(stream_frame frame) {
    next_ = frame.offset + 1;
    bytes_ += frame.text.size();
    frames_.push_back(std::move(frame));
    while (frames_.size() > most_frames_ || bytes_ > most_bytes_) {
      bytes_ -= frames_.front().text.size();
      first_ = frames_.front().offset + 1;
      frames_.pop_front();
    }
  }
  /// Moves next() up to `next`, without a frame in between.
  void go_to(log_offset next) { next_ = std::max(next_, next); }

  const std::deque<stream_frame>& frames() const { return frames_; }

 private:
  std::size_t most_frames_;
  std::size_t most_bytes_;
  std::deque<stream_frame> frames_;
  std::size_t bytes_ = 0;
  log_offset first_ = 1;
  log_offset next_ = 1;
};

}  // namespace skanu
