// The life of a connection over a non-blocking socket.
#include "http/server/connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace skanu {
namespace {

// Bytes. Requests up to free_bytes take no share of the budget, so that a flood of large requests
// does not shut out small requests.
constexpr size_t free_bytes = 1024;
constexpr size_t read_size = size_t{16} * 1024;
// Limit of bytes discarded after the last response; linger() says why.
constexpr size_t max_discarded = size_t{1024} * 1024;

constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr request_failure head_too_slow{408, "The header block did not arrive in time."};
constexpr request_failure body_too_slow{408, "The body did not arrive in time."};
constexpr request_failure cut_short{400, "The request ends before it is complete."};
constexpr request_failure no_memory{503, "Too many large requests are under way."};

}  // namespace

bool byte_budget::resize(size_t& held, size_t wanted) {
  if (wanted > held) {
    const auto more = wanted - held;
    if (used_.fetch_add(more, std::memory_order_relaxed) + more > limit_) {
      used_.fetch_sub(more, std::memory_order_relaxed);
      return false;
    }
  } else if (wanted < held) {
    used_.fetch_sub(held - wanted, std::memory_order_relaxed);
  }
  held = wanted;
  return true;
}

connection::connection(file_descriptor socket, connection_endpoints endpoints,
                       const server_options& options, responder& responder, byte_budget& budget)
    : socket_{std::move(socket)},
      endpoints_{std::move(endpoints)},
      options_{options},
      responder_{responder},
      budget_{budget},
      reader_{options.limits} {
  wait_in(phase::idle);
}

connection::~connection() { budget_.resize(held_, 0); }

bool connection::notify(uint32_t epoll_events) {
  // Notes the readiness only while a worker owns the connection. If the worker hands the connection
  // back in between, no other thread would act on the note.
  auto state = state_.load(std::memory_order_acquire);
  while (state != with_io) {
    if (state_.compare_exchange_weak(state, with_worker | readiness_noted,
                                     std::memory_order_acq_rel, std::memory_order_acquire)) {
      return false;
    }
  }
  constexpr uint32_t ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((epoll_events & (EPOLLIN | ended)) != 0) readable_ = true;
  if ((epoll_events & ended) != 0) read_until_end_ = true;
  return true;
}

bool connection::hand_back() {
  unsigned expected = with_worker;
  if (state_.compare_exchange_strong(expected, with_io, std::memory_order_acq_rel)) return true;
  state_.store(with_worker, std::memory_order_release);
  readable_ = true;
  read_until_end_ = true;
  return false;
}

connection::outcome connection::advance() {
  for (;;) {
    if (broken_) return outcome::finished;
    if (!unsent_.empty()) {
      switch (send_output()) {
        case io_result::blocked: return wait_in(phase::writing);
        case io_result::broken: return outcome::finished;
        case io_result::done: break;
      }
    }
    if (closing_) return linger();

    const auto stage = reader_.advance();
    if (stage == request_reader::stage::complete) {
      phase_ = phase::working;
      return outcome::request_ready;
    }
    if (stage == request_reader::stage::failed) {
      refuse(reader_.failure());
      continue;
    }
    if (reader_.wants_continue()) {
      send_or_keep(continue_response);
      continue;
    }
    if (peer_finished_) {
      if (stage == request_reader::stage::idle) return outcome::finished;
      refuse(cut_short);
      continue;
    }
    if (!hold_memory()) {
      refuse(no_memory);
      continue;
    }
    if (!readable_) {
      return wait_in(stage == request_reader::stage::idle   ? phase::idle
                     : stage == request_reader::stage::head ? phase::head
                                                            : phase::body);
    }
    if (receive() == io_result::broken) return outcome::finished;
  }
}

void connection::respond() {
  phase_ = phase::working;
  std::string response;
  const bool another_waits = reader_.has_more();
  auto after = responder_.answer(reader_.take(), endpoints_, another_waits, response);
  if (after.close) {
    closing_ = true;
    more_may_come_ = another_waits || readable_;
  }
  send_or_keep(response);
  if (!broken_) taker_ = std::move(after.taker);
}

void connection::refuse(const request_failure& failure) {
  phase_ = phase::working;
  closing_ = true;
  more_may_come_ = true;
  std::string response;
  responder_.refuse(failure, reader_.method() == "HEAD", response);
  send_or_keep(response);
}

connection::outcome connection::expire() {
  switch (phase_) {
    case phase::head: refuse(head_too_slow); return advance();
    case phase::body: refuse(body_too_slow); return advance();
    case phase::writing: {
      // A reset makes the kernel free at once the bytes of a client that does not read.
      const ::linger at_once{1, 0};
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return outcome::finished;
    }
    default: return outcome::finished;
  }
}

connection::io_result connection::send_output() {
  while (sent_ < unsent_.size()) {
    const auto sent = ::send(socket_.get(), unsent_.data() + sent_, unsent_.size() - sent_,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? io_result::blocked : io_result::broken;
    }
    sent_ += static_cast<size_t>(sent);
  }
  std::string{}.swap(unsent_);
  sent_ = 0;
  return io_result::done;
}

// Sends as much as the socket takes now and keeps the rest, within the budget. Without budget the
// connection breaks.
void connection::send_or_keep(std::string_view bytes) {
  while (unsent_.empty() && !bytes.empty()) {
    const auto sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      broken_ = true;
      return;
    }
  }
  if (bytes.empty()) return;
  if (budget_.resize(held_, held_ + bytes.size())) {
    unsent_.append(bytes);
  } else {
    broken_ = true;
  }
}

connection::io_result connection::receive() {
  std::array<char, read_size> bytes;
  const auto received = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (received > 0) {
    const auto size = static_cast<size_t>(received);
    if (closing_) {
      discarded_ += size;
    } else {
      reader_.append({bytes.data(), size});
    }
    if (size < bytes.size() && !read_until_end_) readable_ = false;
    return io_result::done;
  }
  if (received == 0) {
    peer_finished_ = true;
    readable_ = false;
    return io_result::done;
  }
  if (errno == EINTR) return io_result::done;
  readable_ = false;
  read_until_end_ = false;
  return errno == EAGAIN || errno == EWOULDBLOCK ? io_result::done : io_result::broken;
}

// Discards the client's bytes before the close: with unread bytes left, the kernel would reset the
// connection and the client would lose the response.
connection::outcome connection::linger() {
  if (!more_may_come_) return outcome::finished;
  if (!std::exchange(shut_down_, true)) ::shutdown(socket_.get(), SHUT_WR);
  while (readable_ && !peer_finished_ && discarded_ < max_discarded) {
    if (receive() == io_result::broken) return outcome::finished;
  }
  if (peer_finished_ || discarded_ >= max_discarded) return outcome::finished;
  return wait_in(phase::lingering);
}

// A phase's allowed time starts with the phase.
connection::outcome connection::wait_in(phase next) {
  if (phase_ != next) {
    phase_ = next;
    deadline_ = clock::now() + allowed_time(next);
  }
  return outcome::waiting;
}

std::chrono::milliseconds connection::allowed_time(phase waiting) const {
  switch (waiting) {
    case phase::head: return options_.header_timeout;
    case phase::body: return options_.body_timeout;
    case phase::writing: return options_.write_timeout;
    case phase::lingering: return options_.linger;
    case phase::working:
    case phase::idle: break;
  }
  return options_.keep_alive;
}

bool connection::hold_memory() {
  const auto held = reader_.held_bytes();
  return budget_.resize(held_, held > free_bytes ? held : 0);
}

}  // namespace skanu
