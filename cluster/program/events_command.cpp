// `skanu events`: prints the logs as JSON lines, beside a writing server.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>
#include <stdexcept>
#include <system_error>

#include <poll.h>
#include <unistd.h>

#include "cluster/program/commands.hpp"
#include "messages/event.hpp"
#include "persistence/directory/data_directory.hpp"

namespace skanu {

namespace {

constexpr std::chrono::milliseconds look_again{100};
constexpr std::size_t piece = 1'000;

volatile std::sig_atomic_t stop_asked = 0;

/// Standard output, open until the reader closes the other end or a signal arrives. SIGINT and
/// SIGTERM are blocked outside waits, so that no signal is lost between a check and a wait.
class line_output {
 public:
  line_output() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    struct sigaction action = {};
    action.sa_handler = [](int) { stop_asked = 1; };
    for (const int s : {SIGINT, SIGTERM}) {
      sigaddset(&stop_signals, s);
      ::sigaction(s, &action, nullptr);
    }
    pthread_sigmask(SIG_BLOCK, &stop_signals, &while_waiting_);
    for (const int s : {SIGINT, SIGTERM}) sigdelset(&while_waiting_, s);
  }

  void add(const std::string& line) {
    buffer_ += line;
    buffer_ += '\n';
    if (buffer_.size() >= 64 * 1024) flush();
  }

  /// Writes all lines added.
  void flush() {
    std::string_view rest = buffer_;
    while (open_ && !rest.empty()) {
      if (!wait(POLLOUT, nullptr)) continue;
      // A ready pipe takes 4,096 bytes without blocking.
      const auto written =
          ::write(STDOUT_FILENO, rest.data(), std::min<std::size_t>(rest.size(), 4096));
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EPIPE) {
        open_ = false;
      } else if (errno != EINTR && errno != EAGAIN) {
        throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
      }
    }
    buffer_.clear();
  }

  void pause(std::chrono::milliseconds time) {
    const timespec limit{time.count() / 1000, time.count() % 1000 * 1'000'000};
    wait(0, &limit);
  }

  bool open() const { return open_; }

 private:
  /// Returns true if the output is open and ready.
  bool wait(short what, const timespec* limit) {
    pollfd out{STDOUT_FILENO, what, 0};
    const int ready = ::ppoll(&out, 1, limit, &while_waiting_);
    if (stop_asked != 0 || (ready > 0 && (out.revents & (POLLERR | POLLNVAL)) != 0)) open_ = false;
    return open_ && ready > 0;
  }

  std::string buffer_;
  sigset_t while_waiting_{};
  bool open_ = true;
};

/// A reader of a service's log, in pieces, up to the end at the last look().
class log_reader {
 public:
  log_reader(const store& data, service of, log_offset from) : data_(data), of_(of), next_(from) {}

  void look() { end_ = data_.read()->log_end(of_); }

  /// Returns the next event, or null at the end.
  const logged_event* front() {
    if (piece_.empty() && next_ <= end_) {
      for (auto& e : data_.read()->events(of_, next_, piece)) piece_.push_back(std::move(e));
      next_ = piece_.empty() ? end_ + 1 : piece_.back().offset + 1;
    }
    return piece_.empty() || piece_.front().offset > end_ ? nullptr : &piece_.front();
  }

  /// Returns the front event's time as sortable text; empty for an undecodable event.
  std::string_view time() const { return timestamp_of(piece_.front().body); }

  /// Returns the front event as a line. Damaged bytes appear as text.
  std::string line() const {
    const auto& e = piece_.front();
    if (e.damaged)
      return nlohmann::ordered_json{
          {"service", name_of(of_)}, {"offset", e.offset}, {"damaged", true}}
          .dump();
    if (nlohmann::json::accept(e.body) && e.body.size() > 2 && e.body.front() == '{')
      return located_event(of_, e.offset, e.body);
    nlohmann::ordered_json damaged = {
        {"service", name_of(of_)}, {"offset", e.offset}, {"undecodable", e.body}};
    return damaged.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  void pop() { piece_.pop_front(); }

 private:
  const store& data_;
  service of_;
  log_offset next_;
  log_offset end_ = 0;
  std::deque<logged_event> piece_;
};

/// Prints the logs up to their present end, merged by time. The events of each service keep their
/// order; a view's order is the order of arrival at the view.
void print(std::vector<log_reader>& logs, line_output& out) {
  for (auto& log : logs) log.look();
  while (out.open()) {
    log_reader* oldest = nullptr;
    for (auto& log : logs)
      if (log.front() != nullptr && (oldest == nullptr || log.time() < oldest->time()))
        oldest = &log;
    if (oldest == nullptr) break;
    out.add(oldest->line());
    oldest->pop();
  }
  out.flush();
}

}  // namespace

int run_events(const program_options& options) {
  const auto databases = open_existing(options.data);
  std::vector<log_reader> logs;
  for (const auto& d : databases)
    for (const auto s : d.data->services())
      if (!options.events_of || s == *options.events_of)
        logs.emplace_back(*d.data, s, options.events_from);
  if (logs.empty())
    throw std::runtime_error("there is no log of " + std::string(name_of(*options.events_of)) +
                             " in " + options.data);
  line_output out;
  do {
    print(logs, out);
    if (options.follow && out.open()) out.pause(look_again);
  } while (options.follow && out.open());
  return 0;
}

}  // namespace skanu
