// A connection thread accepts, reads and parses over epoll and keeps every deadline. The worker
// pool runs whole requests.
#include "http/server/server.hpp"

#include "http/server/connection.hpp"
#include "http/server/listening.hpp"
#include "http/server/responder.hpp"
#include "http/server/worker_pool.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace skanu {
namespace {

constexpr size_t events_per_wait = 128;
constexpr size_t accepts_per_wait = 64;
constexpr size_t expirations_per_wait = 64;
// Requests of a connection in a row before another connection's turn.
constexpr size_t max_consecutive_requests = 16;
// Connections beyond the cap that get an answer; further connections are closed without.
constexpr size_t max_told_of_the_cap = 256;
// Descriptors for the rest of the process.
constexpr size_t other_descriptors = 512;
constexpr std::chrono::milliseconds accept_pause{100};
// For the clients of handshakes under way to finish them: some round trips through a data centre.
constexpr std::chrono::milliseconds handshake_time{100};

constexpr request_failure too_many_connections{503, "There are too many connections."};
constexpr request_failure too_many_requests{503, "There are too many requests at once."};

class in_progress_guard {
 public:
  explicit in_progress_guard(std::atomic<size_t>& count) : count_{count} {
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  in_progress_guard(const in_progress_guard&) = delete;
  in_progress_guard& operator=(const in_progress_guard&) = delete;
  ~in_progress_guard() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::atomic<size_t>& count_;
};

}  // namespace

class server::implementation {
 public:
  implementation(server_options options, request_handler handler, error_renderer render_error,
                 handler_failure_observer observe_failure)
      : options_{std::move(options)},
        sweep_interval_{std::min({options_.header_timeout, options_.body_timeout,
                                  options_.write_timeout, options_.keep_alive, options_.linger})},
        observe_failure_{std::move(observe_failure)},
        responder_{std::move(handler), std::move(render_error), observe_failure_,
                   options_.max_response_bytes, last_call_},
        budget_{options_.max_buffered_bytes} {}

  ~implementation() { stop(); }

  int bind();
  void start();
  void call_last_requests() { last_call_.store(true); }
  void stop();

  size_t max_connections() const { return max_connections_; }
  size_t max_handed_over() const { return max_handed_over_; }
  open_file_limits open_files() const { return open_files_; }
  size_t open_connections() const { return open_.load(std::memory_order_relaxed); }
  size_t requests_in_progress() const { return in_progress_.load(std::memory_order_relaxed); }
  size_t refused_connections() const { return refused_.load(std::memory_order_relaxed); }
  size_t queued_requests() const { return workers_ ? workers_->queued() : 0; }

 private:
  // On the connection thread:
  void run();
  int wait_time() const;
  void accept_clients();
  void admit(file_descriptor socket, endpoint remote);
  bool may_enter(const std::string& address) const;
  bool watch_listener();
  void pause_accepting();
  void resume_accepting();
  void advance_if_here(connection& client, uint32_t epoll_events);
  void proceed(connection& client, connection::outcome outcome);
  void schedule_sweep();
  void sweep();
  void begin_stop();
  void close_listener();
  void close_finished();

  // On a worker:
  void serve(connection& client);
  connection::outcome give_away(connection& client);

  // On either thread:
  void finish(connection& client);
  void wake_connection_thread();

  // Runs a step. An exception (memory is short) costs the connection, not the thread.
  template <class Step>
  connection::outcome guarded(Step step) {
    try {
      return step();
    } catch (...) {
      if (observe_failure_) observe_failure_({}, std::current_exception());
      return connection::outcome::finished;
    }
  }

  using clock = connection::clock;

  const server_options options_;
  const std::chrono::milliseconds sweep_interval_;
  const handler_failure_observer observe_failure_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> last_call_{false};
  responder responder_;
  byte_budget budget_;

  file_descriptor listener_;
  file_descriptor epoll_;
  file_descriptor wake_up_;
  std::unique_ptr<worker_pool> workers_;
  std::thread thread_;
  std::mutex stop_mutex_;

  std::vector<std::unique_ptr<connection>> connections_;
  std::unordered_map<std::string, size_t> connections_by_address_;
  size_t max_connections_ = 0;
  size_t max_told_of_the_cap_ = 0;
  size_t max_handed_over_ = 0;
  open_file_limits open_files_;
  bool draining_ = false;
  clock::time_point next_sweep_ = clock::time_point::max();
  size_t sweep_from_ = 0;
  clock::time_point resume_accepting_ = clock::time_point::max();
  clock::time_point close_listener_at_ = clock::time_point::max();
  clock::time_point stop_deadline_ = clock::time_point::max();

  std::mutex finished_mutex_;
  std::vector<connection*> finished_;  // to be closed by the connection thread

  std::atomic<size_t> open_{0};
  std::atomic<size_t> in_progress_{0};
  std::atomic<size_t> refused_{0};
};

int server::implementation::bind() {
  const auto wanted = options_.max_connections + options_.max_handed_over;
  constexpr auto others = max_told_of_the_cap + other_descriptors;
  const auto descriptors = raise_open_file_limit(wanted + others);
  open_files_ = {wanted + others, descriptors};
  const auto for_sockets = std::min(wanted, descriptors - std::min(others, descriptors / 4));
  max_handed_over_ = options_.max_handed_over * for_sockets / std::max<size_t>(wanted, 1);
  max_connections_ = for_sockets - max_handed_over_;
  max_told_of_the_cap_ = std::min(max_told_of_the_cap, descriptors / 8);
  listener_ = listen_at(options_.address, options_.port, options_.backlog);
  return local_endpoint(listener_.get()).port;
}

void server::implementation::start() {
  epoll_ = file_descriptor{::epoll_create1(EPOLL_CLOEXEC)};
  if (!epoll_) throw_errno("epoll_create1");
  wake_up_ = file_descriptor{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!wake_up_) throw_errno("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_up_;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_up_.get(), &event) != 0) {
    throw_errno("epoll_ctl");
  }
  workers_ = std::make_unique<worker_pool>(
      worker_pool_size{options_.threads, options_.workers, options_.max_queued_requests},
      [this](connection& client) { serve(client); });
  if (!watch_listener()) throw_errno("epoll_ctl");
  thread_ = std::thread{[this] { run(); }};
}

void server::implementation::stop() {
  const std::lock_guard lock{stop_mutex_};
  stopping_.store(true);
  if (thread_.joinable()) {
    wake_connection_thread();
    thread_.join();
  }
  if (workers_) workers_->stop();
  listener_.reset();
  connections_.clear();
  open_.store(0);
}

void server::implementation::run() {
  std::array<epoll_event, events_per_wait> events;
  while (!draining_ || (!connections_.empty() && clock::now() < stop_deadline_)) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_time());
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<size_t>(i)];
      if (event.data.ptr == &listener_) {
        accept_clients();
      } else if (event.data.ptr == &wake_up_) {
        uint64_t ignored = 0;
        while (::read(wake_up_.get(), &ignored, sizeof ignored) > 0) {
        }
      } else {
        advance_if_here(*static_cast<connection*>(event.data.ptr), event.events);
      }
    }
    if (stopping_.load() && !draining_) begin_stop();
    const auto now = clock::now();
    if (now >= close_listener_at_) close_listener();
    if (now >= resume_accepting_) resume_accepting();
    if (now >= next_sweep_) sweep();
    close_finished();
  }
}

// The timeout of epoll_wait in milliseconds; -1 without a deadline.
int server::implementation::wait_time() const {
  const auto next = std::min({next_sweep_, resume_accepting_, close_listener_at_, stop_deadline_});
  if (next == clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

void server::implementation::accept_clients() {
  const auto at_once = draining_ ? static_cast<size_t>(options_.backlog) : accepts_per_wait;
  for (size_t i = 0; i < at_once; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    file_descriptor socket{::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                                     &length, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket) {
      admit(std::move(socket), numeric_endpoint(address, length));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return pause_accepting();
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    // Other errors concern only a client already gone.
  }
}

void server::implementation::admit(file_descriptor socket, endpoint remote) {
  const bool welcome = may_enter(remote.address);
  if (!welcome) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    if (connections_.size() >= max_connections_ + max_told_of_the_cap_) return;
  }
  const int descriptor = socket.get();
  connection_endpoints endpoints{std::move(remote), local_endpoint(descriptor)};
  auto& client = *connections_.emplace_back(std::make_unique<connection>(
      std::move(socket), std::move(endpoints), options_, responder_, budget_));
  client.index = connections_.size() - 1;
  ++connections_by_address_[client.remote_address()];
  open_.store(connections_.size(), std::memory_order_relaxed);
  if (next_sweep_ == clock::time_point::max()) schedule_sweep();

  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &client;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return finish(client);
  if (!welcome) {
    proceed(client, guarded([&] {
              client.refuse(too_many_connections);
              return client.advance();
            }));
  }
}

bool server::implementation::may_enter(const std::string& address) const {
  if (connections_.size() >= max_connections_) return false;
  if (options_.max_connections_per_address == 0) return true;
  const auto known = connections_by_address_.find(address);
  return known == connections_by_address_.end() ||
         known->second < options_.max_connections_per_address;
}

bool server::implementation::watch_listener() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &listener_;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) == 0;
}

void server::implementation::pause_accepting() {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
  resume_accepting_ = clock::now() + accept_pause;
}

void server::implementation::resume_accepting() {
  resume_accepting_ = watch_listener() ? clock::time_point::max() : clock::now() + accept_pause;
}

// Acts on the outcome of an `advance` on the connection thread.
void server::implementation::proceed(connection& client, connection::outcome outcome) {
  if (outcome == connection::outcome::request_ready) {
    client.hand_over();
    if (workers_->push(client)) return;
    client.take_back();
    outcome = guarded([&] {
      client.refuse(too_many_requests);
      return client.advance();
    });
  }
  if (outcome == connection::outcome::finished || (draining_ && client.is_idle())) finish(client);
}

// Sweeps at the interval of the shortest timeout. The connection thread does not see the start of a
// wait on a worker, but no such wait is shorter than the interval, so a sweep misses no deadline.
void server::implementation::schedule_sweep() {
  const auto now = clock::now();
  sweep_from_ = 0;
  next_sweep_ = connections_.empty() ? clock::time_point::max() : now + sweep_interval_;
}

// Expires a limited number of connections; the rest waits for the loop's next turn, for which the
// sweep stays due. A connection with a new index meanwhile may wait for the next sweep.
void server::implementation::sweep() {
  const auto now = clock::now();
  for (size_t expired = 0; sweep_from_ < connections_.size(); ++sweep_from_) {
    auto& client = *connections_[sweep_from_];
    if (!client.is_overdue(now)) continue;
    if (++expired > expirations_per_wait) return;
    proceed(client, guarded([&] { return client.expire(); }));
  }
  schedule_sweep();
}

// Closes the listener at once, or after an announced stop once the handshakes under way are done:
// the kernel resets the connections that nobody has accepted, some with a request on its way.
void server::implementation::begin_stop() {
  if (close_listener_at_ != clock::time_point::max()) return;
  const bool announced = last_call_.exchange(true);
  close_listener_at_ = clock::now();
  if (announced && ignore_new_handshakes(listener_.get())) close_listener_at_ += handshake_time;
}

void server::implementation::close_listener() {
  draining_ = true;
  close_listener_at_ = clock::time_point::max();
  stop_deadline_ = clock::now() + options_.stop_timeout;
  accept_clients();
  listener_.reset();
  resume_accepting_ = clock::time_point::max();
  // A connection with a request in the socket's buffer is not idle.
  for (const auto& client : connections_) advance_if_here(*client, EPOLLIN);
}

void server::implementation::advance_if_here(connection& client, uint32_t epoll_events) {
  if (!client.notify(epoll_events)) return;
  proceed(client, guarded([&] { return client.advance(); }));
}

void server::implementation::finish(connection& client) {
  client.hand_over();
  const std::lock_guard lock{finished_mutex_};
  finished_.push_back(&client);
}

// The only place that destroys connections: after the events of a turn, which may name finished
// connections.
void server::implementation::close_finished() {
  std::vector<connection*> finished;
  {
    const std::lock_guard lock{finished_mutex_};
    finished.swap(finished_);
  }
  for (auto* client : finished) {
    const auto count = connections_by_address_.find(client->remote_address());
    if (--count->second == 0) connections_by_address_.erase(count);
    const auto index = client->index;
    std::swap(connections_[index], connections_.back());
    connections_[index]->index = index;
    connections_.pop_back();
  }
  if (finished.empty()) return;
  open_.store(connections_.size(), std::memory_order_relaxed);
  if (connections_.empty()) schedule_sweep();
}

void server::implementation::serve(connection& client) {
  for (size_t served = 1;; ++served) {
    auto outcome = guarded([&] {
      const in_progress_guard counted{in_progress_};
      client.respond();
      return connection::outcome::waiting;
    });
    if (outcome == connection::outcome::waiting) {
      outcome = client.is_taken() ? give_away(client) : guarded([&] { return client.advance(); });
    }
    while (outcome == connection::outcome::waiting) {
      if (stopping_.load() && client.is_idle()) {
        outcome = connection::outcome::finished;
      } else if (client.hand_back()) {
        return;
      } else {
        outcome = guarded([&] { return client.advance(); });
      }
    }
    if (outcome == connection::outcome::finished) {
      finish(client);
      return wake_connection_thread();
    }
    if (served >= max_consecutive_requests && workers_->push(client)) return;
  }
}

connection::outcome server::implementation::give_away(connection& client) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client.socket(), nullptr);
  return guarded([&] {
    client.give_away();
    return connection::outcome::finished;
  });
}

void server::implementation::wake_connection_thread() {
  const uint64_t one = 1;
  // The write fails only when a wake-up is pending anyway.
  [[maybe_unused]] const auto written = ::write(wake_up_.get(), &one, sizeof one);
}

server::server(server_options options, request_handler handler, error_renderer render_error,
               handler_failure_observer observe_failure)
    : implementation_{std::make_unique<implementation>(std::move(options), std::move(handler),
                                                       std::move(render_error),
                                                       std::move(observe_failure))} {}

server::~server() = default;

int server::bind() { return implementation_->bind(); }

void server::start() { implementation_->start(); }

void server::call_last_requests() { implementation_->call_last_requests(); }

void server::stop() { implementation_->stop(); }

size_t server::max_connections() const { return implementation_->max_connections(); }

size_t server::max_handed_over() const { return implementation_->max_handed_over(); }

open_file_limits server::open_files() const { return implementation_->open_files(); }

size_t server::open_connections() const { return implementation_->open_connections(); }

size_t server::requests_in_progress() const { return implementation_->requests_in_progress(); }

size_t server::queued_requests() const { return implementation_->queued_requests(); }

size_t server::refused_connections() const { return implementation_->refused_connections(); }

}  // namespace skanu
