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

void report_crashes(const std::string&, const std::string&, int) {}

#else

namespace {

/// Set before any signal can arrive.
int log_descriptor = STDERR_FILENO;

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

  void write() const {
    // a failure has no place to be reported
    [[maybe_unused]] const auto written = ::write(log_descriptor, text_.data(), size_);
  }

 private:
  std::array<char, 4096> text_{};
  std::size_t size_ = 0;
};

/// Filled before any signal can arrive.
std::string node_part, advice_part;

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
  line l;
  l << "time=";
  add_time(l);
  l << " level=critical " << node_part << "event=crashed signal=" << name_of_signal(signal);
  if (const char* const database = database_of_this_thread)
    l << " database=\"" << database << "\" advice=\"" << advice_part << "\"";
  l << "\n";
  l.write();
  ::raise(signal);  // SA_RESETHAND: by default the signal ends the process
}

}  // namespace

void report_crashes(const std::string& data, const std::string& node, int log) {
  log_descriptor = log;
  if (!node.empty()) node_part = "node=" + node + " ";
  advice_part = "run skanu audit --data " + data + "; restore: see Restore in the README";
  struct sigaction action = {};
  action.sa_handler = on_crash;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

#endif

}  // namespace skanu
