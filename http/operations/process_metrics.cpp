#include "http/operations/process_metrics.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <unistd.h>

namespace skanu {

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

void render_processor_time(metrics_text& out) {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return;
  out.metric("process_cpu_seconds_total", "counter", "Processor time in user and system mode.");
  out.sample({}, seconds(used.ru_utime) + seconds(used.ru_stime));
}

void render_memory(metrics_text& out) {
  std::int64_t virtual_pages = 0, resident_pages = 0;
  if (!(std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages)) return;
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  out.metric("process_virtual_memory_bytes", "gauge",
             "Addresses in use, with the databases' maps: far above the memory.");
  out.sample({}, virtual_pages * page);
  out.metric("process_resident_memory_bytes", "gauge",
             "Memory in use, with the databases' pages in memory.");
  out.sample({}, resident_pages * page);
}

void render_open_files(metrics_text& out) {
  std::error_code problem;
  const std::filesystem::directory_iterator files("/proc/self/fd", problem);
  rlimit limit{};
  if (problem || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  out.metric("process_open_fds", "gauge", "Open files and sockets.");
  out.sample({}, static_cast<std::int64_t>(std::distance(begin(files), end(files))));
  out.metric("process_max_fds", "gauge", "Limit of open files and sockets.");
  out.sample({}, static_cast<std::int64_t>(limit.rlim_cur));
}

}  // namespace

void render_process(metrics_text& out, instant started) {
  render_processor_time(out);
  render_memory(out);
  render_open_files(out);
  out.metric("process_start_time_seconds", "gauge",
             "When this process began, in seconds since 1970.");
  out.sample({}, static_cast<double>(started.time_since_epoch().count()) / 1e3);
}

}  // namespace skanu
