#include "http/streams/event_stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string>
#include <system_error>
#include <unordered_map>

#include <spdlog/spdlog.h>

namespace skanu {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t events_per_wait = 256;
constexpr std::uint64_t wake_up_mark = 0;  // no subscriber's id
/// Bytes that the kernel may keep for a client that does not read.
constexpr int send_buffer = 64 * 1024;
/// Time until a silently gone peer is noticed, from the last unacknowledged byte on.
constexpr unsigned gone_after_ms = 30'000;

int wait_for(std::optional<broadcast::time_point> until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

}  // namespace

/// Counts of the subscribers. Thread-safe.
struct event_stream::places {
  std::mutex mutex;
  std::size_t taken = 0;
  std::unordered_map<std::string, std::size_t> by_address;

  bool take(const std::string& address, std::size_t most, std::size_t most_of_one) {
    const std::lock_guard lock(mutex);
    if (taken >= most) return false;
    const auto of_one = by_address.try_emplace(address, 0).first;
    if (most_of_one != 0 && of_one->second >= most_of_one) return false;
    ++of_one->second;
    ++taken;
    return true;
  }
  void give_back(const std::string& address) {
    const std::lock_guard lock(mutex);
    const auto of_one = by_address.find(address);
    if (--of_one->second == 0) by_address.erase(of_one);
    --taken;
  }
};

event_stream::event_stream(const stream_options& options)
    : options_(options),
      max_streams_(options.max_streams),
      places_(std::make_shared<places>()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_up_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_up_mark;
  if (!epoll_ || !wake_up_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_up_.get(), &event) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot watch streams");
}

event_stream::~event_stream() { stop(); }

void event_stream::limit(std::size_t max_streams) {
  max_streams_ = std::min(max_streams_, max_streams);
}

void event_stream::start() {
  thread_ = std::thread([this] { run(); });
}

void event_stream::stop() {
  const std::lock_guard one_at_a_time(stop_mutex_);
  stopped_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  jobs_.clear();
  source_ = {};
}

std::shared_ptr<void> event_stream::take_place(const std::string& address) {
  if (stopped_ || !places_->take(address, max_streams_, options_.max_streams_per_address))
    return nullptr;
  // The counts outlive the stream, since a place may be released later.
  return {static_cast<void*>(places_.get()),
          [all = places_, address](void*) { all->give_back(address); }};
}

std::size_t event_stream::subscribers() const {
  const std::lock_guard lock(places_->mutex);
  return places_->taken;
}

void event_stream::subscribe(new_subscriber who) {
  // The socket is shared, since a std::function must be copyable.
  post([this, given = std::make_shared<new_subscriber>(std::move(who))](broadcast& to,
                                                                        broadcast::time_point now) {
    to.add(
        std::move(*given), [this](int socket, subscriber_id id) { return watch(socket, id); }, now);
  });
}

void event_stream::set_source(stream_source source) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    source_ = std::move(source);
  }
  post([](broadcast& to, broadcast::time_point) { to.ask_again(); });
}

void event_stream::set_timelines(lineage timelines) {
  post([given = std::move(timelines)](broadcast& to, broadcast::time_point) {
    to.set_timelines(given);
  });
}

void event_stream::publish(std::vector<stream_frame> frames, log_offset next) {
  next_ = next;
  post([this, given = std::make_shared<std::vector<stream_frame>>(std::move(frames)), next](
           broadcast& to, broadcast::time_point now) {
    to.publish(std::move(*given), next, now);
    const std::lock_guard lock(mutex_);
    if (source_.published) source_.published();
  });
}

void event_stream::give_history(subscriber_id to, std::optional<history_page> page) {
  post([to, given = std::make_shared<std::optional<history_page>>(std::move(page))](
           broadcast& from, broadcast::time_point now) {
    from.take_history(to, std::move(*given), now);
  });
}

void event_stream::start_over() {
  next_ = 0;
  post([](broadcast& to, broadcast::time_point) { to.start_over(); });
}

void event_stream::post(job j) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    jobs_.push_back(std::move(j));
  }
  wake();
}

void event_stream::wake() {
  const std::uint64_t one = 1;
  // The write fails only when a wake-up is pending anyway.
  [[maybe_unused]] const auto written = ::write(wake_up_.get(), &one, sizeof one);
}

bool event_stream::watch(int socket, subscriber_id id) {
  // Errors are ignored: a socket other than TCP needs neither option.
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_after_ms, sizeof gone_after_ms);
  epoll_event event{};
  // No EPOLLIN: bytes that a client still sends stay within the kernel's own bounds.
  event.events = EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = id;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) == 0;
}

void event_stream::run() {
  broadcast subscribers(options_, [this](subscriber_id id, log_offset from) {
    const std::lock_guard lock(mutex_);
    if (source_.ask_history) source_.ask_history(id, from);
  });
  std::array<epoll_event, events_per_wait> events;
  std::vector<job> jobs;
  // An exception (memory is short) costs the step, not the thread.
  const auto guarded = [](auto step) {
    try {
      step();
    } catch (const std::exception& problem) {
      spdlog::error("event=stream_failed reason=\"{}\"", problem.what());
    }
  };
  while (!stopped_) {
    std::optional<broadcast::time_point> until;
    guarded([&] { until = subscribers.tick(clock::now()); });
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_for(until));
    for (int i = 0; i < count; ++i) {
      const auto& e = events[static_cast<std::size_t>(i)];
      if (e.data.u64 == wake_up_mark) {
        std::uint64_t ignored = 0;
        while (::read(wake_up_.get(), &ignored, sizeof ignored) > 0) {
        }
      } else if ((e.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        // A client that closes its sending side counts as gone: a full close looks the same.
        guarded([&] { subscribers.drop(e.data.u64); });
      } else {
        guarded([&] { subscribers.on_writable(e.data.u64, clock::now()); });
      }
    }
    {
      const std::lock_guard lock(mutex_);
      jobs.swap(jobs_);
    }
    for (auto& j : jobs) {
      if (stopped_) break;
      guarded([&] { j(subscribers, clock::now()); });
    }
    jobs.clear();
  }
}

}  // namespace skanu
