#include "cluster/program/crash_report.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <unistd.h>
#include <csignal>
#include <ctime>

#include "persistence/tables/database_in_use.hpp"

namespace skanu {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void report_crashes(const std::string&, const log_options&, int) {}

#else

namespace {

/// Set before any signal can arrive.
int log_descriptor = STDERR_FILENO;
bool as_json = false;

/// A line in the making, without allocation: a signal handler writes it.
class line {
 public:
  line& operator<<(std::string_view text) {
    for (const char c : text)
      if (size_ < text_.size()) text_[size_++] = c;
    return *this;
  }

  /// Adds a number with leading zeros.
  line& number(std::int64_t value, int digits) {
    std::array<char, 20> reversed{};
    std::size_t count = 0;
    for (; count < reversed.size() && (value > 0 || static_cast<int>(count) < digits); value /= 10)
      reversed.at(count++) = static_cast<char>('0' + value % 10);
    while (count > 0) *this << std::string_view(&reversed.at(--count), 1);
    return *this;
  }

  line& field(std::string_view key, std::string_view value, bool in_quotes = true) {
    if (as_json) {
      *this << ",\"" << key << "\":\"";
      for (const char& c : value)
        *this << (c == '"' || c == '\\' ? "\\" : "") << std::string_view(&c, 1);
      return *this << "\"";
    }
    const std::string_view quote = in_quotes ? "\"" : "";
    return *this << " " << key << "=" << quote << value << quote;
  }

  void write() const {
    // a failure has no place to be reported
    [[maybe_unused]] const auto written = ::write(log_descriptor, text_.data(), size_);
  }

 private:
  std::array<char, 4096> text_{};
  std::size_t size_ = 0;
};

/// Filled before any signal can arrive.
std::string node_name, advice;

std::string_view name_of_signal(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    default: return "SIGABRT";
  }
}

void add_time(line& l) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::chrono::sys_seconds at{std::chrono::seconds(now.tv_sec)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  l.number(static_cast<int>(date.year()), 4) << "-";
  l.number(static_cast<unsigned>(date.month()), 2) << "-";
  l.number(static_cast<unsigned>(date.day()), 2) << "T";
  l.number(time.hours().count(), 2) << ":";
  l.number(time.minutes().count(), 2) << ":";
  l.number(time.seconds().count(), 2) << ".";
  l.number(now.tv_nsec / 1'000'000, 3) << "Z";
}

void on_crash(int signal) {
  constexpr bool bare = false;
  line l;
  l << (as_json ? "{\"time\":\"" : "time=");
  add_time(l);
  if (as_json) l << "\"";
  l.field("level", "critical", bare);
  if (!node_name.empty()) l.field("node", node_name, bare);
  l.field("event", "crashed", bare).field("signal", name_of_signal(signal), bare);
  if (const char* const database = database_of_this_thread)
    l.field("database", database).field("advice", advice);
  l << (as_json ? "}\n" : "\n");
  l.write();
  ::raise(signal);  // SA_RESETHAND: by default the signal ends the process
}

}  // namespace

void report_crashes(const std::string& data, const log_options& options, int log) {
  log_descriptor = log;
  as_json = options.format == log_format::json;
  node_name = options.node;
  advice = "run skanu audit --data " + data + "; restore: see Restore in the README";
  struct sigaction action = {};
  action.sa_handler = on_crash;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

#endif

}  // namespace skanu
