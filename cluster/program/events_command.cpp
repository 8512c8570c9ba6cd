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
#include "cluster/program/watched_reading.hpp"
#include "messages/event.hpp"
#include "persistence/directory/data_directory.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

namespace {

constexpr std::chrono::milliseconds look_again{100};
constexpr std::size_t piece = 1'000;
constexpr int holds_damaged_events = 1;

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
    if (buffer_.size() >= std::size_t{64} * 1024) flush();
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

  /// Returns the next event, or null at the end. Throws store_error behind the last event in order
  /// if the log's keys are damaged: to read on could lead in a circle.
  const logged_event* front() {
    if (piece_.empty() && next_ <= end_ && !out_of_order_) read_piece();
    if (!piece_.empty() && piece_.front().offset <= end_) return &piece_.front();
    if (out_of_order_)
      throw store_error(errc::damaged, "the table " + name_of(table{of_, table_kind::log}) +
                                           " is damaged: its offsets do not ascend behind " +
                                           std::to_string(next_ - 1));
    return nullptr;
  }

  /// True if the front is damaged, or no event.
  bool damaged() const { return piece_.front().damaged || !is_event(piece_.front().body); }

  /// Returns the front event's time as sortable text; empty for an undecodable event.
  std::string_view time() const { return timestamp_of(piece_.front().body); }

  /// Returns the front event as a line. Damaged bytes appear as text.
  std::string line() const {
    const auto& e = piece_.front();
    if (e.damaged)
      return nlohmann::ordered_json{
          {"service", name_of(of_)}, {"offset", e.offset}, {"damaged", true}}
          .dump();
    if (is_event(e.body)) return located_event(of_, e.offset, e.body);
    nlohmann::ordered_json damaged = {
        {"service", name_of(of_)}, {"offset", e.offset}, {"undecodable", e.body}};
    return damaged.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  void pop() { piece_.pop_front(); }

 private:
  static bool is_event(const std::string& body) {
    return body.size() > 2 && body.front() == '{' && nlohmann::json::accept(body);
  }

  void read_piece() {
    const auto now = data_.read();
    const auto last = now->log_end(of_);
    for (auto& e : now->events(of_, next_, piece)) {
      out_of_order_ = e.offset < next_ || e.offset > last;
      if (out_of_order_) return;
      next_ = e.offset + 1;
      piece_.push_back(std::move(e));
    }
    if (piece_.empty()) next_ = end_ + 1;
  }

  const store& data_;
  service of_;
  log_offset next_;
  log_offset end_ = 0;
  std::deque<logged_event> piece_;  ///< Ascending, up to before `next_`.
  bool out_of_order_ = false;       ///< The keys behind the piece descend.
};

/// Returns the log with the oldest next event; null at the end of all logs.
log_reader* oldest_of(std::vector<log_reader>& logs) {
  log_reader* oldest = nullptr;
  for (auto& log : logs)
    if (log.front() != nullptr && (oldest == nullptr || log.time() < oldest->time())) oldest = &log;
  return oldest;
}

/// Prints the logs up to their present end, merged by time. The events of each service keep their
/// order; a view's order is the order of arrival at the view. Returns false after a damaged event.
bool print(std::vector<log_reader>& logs, line_output& out) {
  for (auto& log : logs) log.look();
  bool sound = true;
  try {
    while (out.open()) {
      auto* const oldest = oldest_of(logs);
      if (oldest == nullptr) break;
      sound = sound && !oldest->damaged();
      out.add(oldest->line());
      oldest->pop();
    }
  } catch (const store_error&) {
    out.flush();
    throw;
  }
  out.flush();
  return sound;
}

int print_events(const program_options& options) {
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
  bool sound = true;
  do {
    sound = print(logs, out);
    if (options.follow && out.open()) out.pause(look_again);
  } while (options.follow && out.open());
  return sound || options.follow ? 0 : holds_damaged_events;
}

}  // namespace

int run_events(const program_options& options) {
  return read_in_child(
      options.data, [&] { return print_events(options); }, {}, any_time, at_stop::ask);
}

}  // namespace skanu
