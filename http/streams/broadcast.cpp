#include "http/streams/broadcast.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace skanu {

namespace {

constexpr std::string_view retry_after = "retry: 2000\n\n";
constexpr std::string_view heartbeat_comment = ": alive\n\n";
/// Frames in a single system call.
constexpr std::size_t frames_per_send = 64;

/// Returns the number of bytes taken by the socket; nullopt where the socket is of no use any more.
std::optional<std::size_t> send_parts(int socket, std::span<iovec> parts) {
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
  return std::nullopt;
}

iovec part_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

struct broadcast::subscriber {
  subscriber_id id = 0;
  new_subscriber who;
  std::string rest = {};  ///< Sent before any frame.
  log_offset next = 0;    ///< Offsets before were sent or do not match the filter.
  bool caught_up = true;  ///< No known frame at or after `next` matches the filter.
  bool blocked = false;   ///< The socket takes no bytes at present.
  bool asking = false;    ///< Waits for history.
  time_point since = {};  ///< When the socket last took bytes, or blocked.
};

broadcast::broadcast(const stream_options& options, history_asker ask)
    : options_(options), ask_(std::move(ask)), ring_(options.ring_frames, options.ring_bytes) {}

broadcast::~broadcast() = default;

void broadcast::add(new_subscriber who, const std::function<bool(int, subscriber_id)>& watch,
                    time_point now) {
  const auto id = ++last_id_;
  auto& quiet = who.visible_heartbeats ? seeing_ : quiet_;
  quiet.push_back({.id = id, .who = std::move(who), .since = now});
  auto& s = quiet.back();
  if (!watch(s.who.socket.get(), id)) return quiet.pop_back();
  by_id_.emplace(id, std::prev(quiet.end()));
  for (auto* kin : groups_of(s.who.filter)) kin->push_back(&s);
  s.rest = std::move(s.who.unsent);
  s.rest += retry_after;
  if (begun_) return begin(s, now);
  advance(s, now);
}

void broadcast::begin(subscriber& s, time_point now) {
  if (s.who.visible_heartbeats) s.rest += heartbeat_for(s);
  if (s.who.last_seen && !saw_another_log(s.who)) {
    s.next = *s.who.last_seen + 1;
    s.caught_up = false;
  } else {
    say_begin(s);
  }
  advance(s, now);
}

bool broadcast::saw_another_log(const new_subscriber& who) const {
  const auto own = timeline_at(timelines_, *who.last_seen);
  return !who.timeline.empty() && !own.empty() && own != who.timeline;
}

/// Sends an event "begin": a client without any event yet gets an id to resume from.
void broadcast::say_begin(subscriber& s) {
  s.next = ring_.next();
  s.caught_up = true;
  s.rest += "id: " + event_id(s.next - 1, timelines_) + "\nevent: begin\ndata: {}\n\n";
}

std::string broadcast::heartbeat_for(const subscriber& s) const {
  if (!s.who.visible_heartbeats) return std::string(heartbeat_comment);
  return "event: alive\ndata: {\"everyMs\":" + std::to_string(heartbeat_of(true).count()) + "}\n\n";
}

std::chrono::milliseconds broadcast::heartbeat_of(bool visible) const {
  return visible ? std::min(options_.heartbeat, options_.visible_heartbeat) : options_.heartbeat;
}

std::list<broadcast::subscriber>& broadcast::list_of(const subscriber& s) {
  if (s.blocked) return blocked_;
  return s.who.visible_heartbeats ? seeing_ : quiet_;
}

void broadcast::publish(std::vector<stream_frame> frames, log_offset next, time_point now) {
  if (!begun_) ring_.begin(frames.empty() ? next : frames.front().offset);
  std::vector<subscriber*> due;
  std::set<const group*> seen;
  const auto last = frames.empty() ? 0 : frames.back().offset;
  const auto wake = [&](const group& g, log_offset from) {
    if (!seen.insert(&g).second) return;
    for (auto* s : g) {
      if (!s->caught_up || last < s->next) continue;
      s->caught_up = false;
      s->next = std::max(s->next, from);
      due.push_back(s);
    }
  };
  for (auto& f : frames) {
    if (begun_) {
      wake(all_, f.offset);
      if (f.status < by_status_.size()) wake(by_status_[f.status], f.offset);
      if (const auto g = by_entity_.find(f.id); g != by_entity_.end()) wake(g->second, f.offset);
    }
    ring_.append(std::move(f));
  }
  ring_.go_to(next);
  if (!std::exchange(begun_, true)) {
    for (auto& [id, at] : by_id_) due.push_back(&*at);
    for (auto* s : due) begin(*s, now);
    return;
  }
  for (auto* s : due)
    if (!s->blocked) advance(*s, now);
}

void broadcast::start_over() {
  while (!by_id_.empty()) let_go(*by_id_.begin()->second);
  begun_ = false;
}

void broadcast::take_history(subscriber_id of, std::optional<history_page> page, time_point now) {
  if (asked_.erase(of) == 0) return;
  const auto found = by_id_.find(of);
  if (found == by_id_.end()) return ask_for_waiting(now);
  auto& s = *found->second;
  s.asking = false;
  const bool beyond = page && s.next > page->end + 1;
  if (!page || (!beyond && page->next <= s.next && s.next < ring_.first())) {
    ask_after_ = now + options_.history_pause;
    want_history(s);
  } else if (beyond) {
    // The last id seen was never sent from the present log: the client saw another log.
    say_begin(s);
    advance(s, now);
  } else if (s.next > ring_.next()) {
    s.caught_up = true;  // another node sent later events than are known here yet
  } else if (s.blocked) {
    // The unsent rest goes first: the socket may have taken part of a heartbeat. Afterwards
    // advance() asks for the page again.
  } else if (send_frames(s, page->frames, page->next, now)) {
    advance(s, now);
  }
  ask_for_waiting(now);
}

void broadcast::ask_again() {
  std::erase_if(asked_, [&](subscriber_id id) { return !by_id_.contains(id); });
  for (const auto id : asked_) ask_(id, by_id_.at(id)->next);
}

void broadcast::on_writable(subscriber_id who, time_point now) {
  const auto found = by_id_.find(who);
  if (found != by_id_.end() && found->second->blocked) advance(*found->second, now);
}

void broadcast::drop(subscriber_id who) {
  if (const auto found = by_id_.find(who); found != by_id_.end()) let_go(*found->second);
}

std::optional<broadcast::time_point> broadcast::tick(time_point now) {
  while (!blocked_.empty() && blocked_.front().since + options_.write_timeout <= now) {
    // A reset makes the kernel free at once the bytes of a client that does not read.
    const ::linger at_once{1, 0};
    auto& s = blocked_.front();
    ::setsockopt(s.who.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    let_go(s);
  }
  std::optional<time_point> next;
  const auto by = [&](time_point t) { next = std::min(next.value_or(t), t); };
  for (auto* quiet : {&quiet_, &seeing_}) {
    const auto heartbeat = heartbeat_of(quiet == &seeing_);
    while (!quiet->empty() && quiet->front().since + heartbeat <= now) {
      auto& s = quiet->front();
      s.rest = heartbeat_for(s);
      advance(s, now);
    }
    if (!quiet->empty()) by(quiet->front().since + heartbeat);
  }
  ask_for_waiting(now);
  if (!blocked_.empty()) by(blocked_.front().since + options_.write_timeout);
  if (!waiting_.empty() && asked_.size() < options_.catch_ups) by(ask_after_);
  return next;
}

/// Sends the due frames known so far. Afterwards the subscriber is caught up, blocked, waiting for
/// history, or gone.
void broadcast::advance(subscriber& s, time_point now) {
  if (!send_rest(s, now)) return;
  if (begun_ && !s.caught_up && !s.asking) {
    if (s.next < ring_.first() || s.next > ring_.next()) {
      want_history(s);
    } else if (send_frames(s, ring_.frames(), ring_.next(), now)) {
      s.caught_up = true;
    } else {
      return;
    }
  }
  if (s.blocked) note_sent(s, now);
  ask_for_waiting(now);
}

/// Returns false where part of the rest is unsent, or the subscriber is gone.
bool broadcast::send_rest(subscriber& s, time_point now) {
  if (s.rest.empty()) return true;
  auto part = part_of(s.rest);
  const auto sent = send_parts(s.who.socket.get(), {&part, 1});
  if (!sent) {
    let_go(s);
    return false;
  }
  s.rest.erase(0, *sent);
  if (!s.rest.empty()) {
    note_blocked(s, *sent > 0, now);
    return false;
  }
  std::string().swap(s.rest);
  note_sent(s, now);
  return true;
}

/// Sends the matching frames from the subscriber's place on, then moves the place to `next`.
/// Returns false where frames are unsent, or the subscriber is gone.
template <class Frames>
bool broadcast::send_frames(subscriber& s, const Frames& frames, log_offset next, time_point now) {
  auto at = std::ranges::lower_bound(frames, s.next, {}, &stream_frame::offset);
  for (;;) {
    std::array<iovec, frames_per_send> parts;
    std::array<const stream_frame*, frames_per_send> batch;
    std::size_t count = 0;
    for (; at != frames.end() && count < batch.size(); ++at) {
      if (!s.who.filter.takes(*at)) continue;
      batch[count] = &*at;
      parts[count++] = part_of(at->text);
    }
    if (count == 0) {
      s.next = std::max(s.next, next);
      return true;
    }
    const auto sent = send_parts(s.who.socket.get(), std::span(parts).first(count));
    if (!sent) {
      let_go(s);
      return false;
    }
    auto left = *sent;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& f = *batch[i];
      if (left < f.text.size()) {
        s.next = f.offset + (left > 0 ? 1 : 0);
        if (left > 0) s.rest = f.text.substr(left);
        note_blocked(s, *sent > 0, now);
        return false;
      }
      left -= f.text.size();
    }
    s.next = batch[count - 1]->offset + 1;
    note_sent(s, now);
  }
}

void broadcast::note_sent(subscriber& s, time_point now) {
  auto& from = list_of(s);
  s.blocked = false;
  auto& to = list_of(s);
  to.splice(to.end(), from, by_id_.at(s.id));
  s.since = now;
}

void broadcast::note_blocked(subscriber& s, bool took_something, time_point now) {
  if (s.blocked && !took_something) return;
  blocked_.splice(blocked_.end(), list_of(s), by_id_.at(s.id));
  s.blocked = true;
  s.since = now;
}

void broadcast::want_history(subscriber& s) {
  if (std::exchange(s.asking, true)) return;
  waiting_.push_back(s.id);
}

void broadcast::ask_for_waiting(time_point now) {
  while (!waiting_.empty() && asked_.size() < options_.catch_ups && now >= ask_after_) {
    const auto id = waiting_.front();
    waiting_.pop_front();
    asked_.insert(id);
    ask_(id, by_id_.at(id)->next);
  }
}

void broadcast::let_go(subscriber& s) {
  const auto id = s.id;
  // A page under way occupies its reader until the page comes, even after the subscriber is gone.
  // So asked_ keeps the id.
  if (s.asking && !asked_.contains(id)) std::erase(waiting_, id);
  leave_groups(s);
  const auto at = by_id_.at(id);
  by_id_.erase(id);
  list_of(s).erase(at);
}

std::vector<broadcast::group*> broadcast::groups_of(const stream_filter& f) {
  std::vector<group*> all;
  for (const auto id : f.ids) all.push_back(&by_entity_[id]);
  if (all.empty())
    all.push_back(f.status != 0 && f.status < by_status_.size() ? &by_status_[f.status] : &all_);
  return all;
}

void broadcast::leave_groups(subscriber& s) {
  for (auto* kin : groups_of(s.who.filter)) {
    *std::ranges::find(*kin, &s) = kin->back();
    kin->pop_back();
  }
  for (const auto id : s.who.filter.ids)
    if (const auto kin = by_entity_.find(id); kin->second.empty()) by_entity_.erase(kin);
}

}  // namespace skanu
