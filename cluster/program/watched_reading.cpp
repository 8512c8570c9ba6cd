#include "cluster/program/watched_reading.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <system_error>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "persistence/tables/reading_progress.hpp"

namespace skanu {

namespace {

constexpr int cannot = 2;

using std::chrono::steady_clock;

reading_progress& shared_progress() {
  void* const memory = ::mmap(nullptr, sizeof(reading_progress), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot map");
  return *new (memory) reading_progress;
}

std::string table_being_read(const reading_progress& progress) {
  const auto index = progress.table.load();
  if (index >= reading_progress::no_table) return "opening its databases";
  return "reading the table " + name_of(table{static_cast<service>(index / table_kind_count),
                                              static_cast<table_kind>(index % table_kind_count)});
}

/// Waits for the end of the child. Returns 0, the signal of a stop request, or SIGALRM for a child
/// without progress.
int watch(const reading_progress& progress, const sigset_t& awaited,
          std::chrono::milliseconds patience) {
  constexpr timespec look_again{0, 200'000'000};
  auto steps = progress.steps.load();
  for (auto moved_at = steady_clock::now();;) {
    const int signal = ::sigtimedwait(&awaited, nullptr, &look_again);
    if (signal == SIGCHLD) return 0;
    if (signal > 0) return signal;
    if (const auto now = progress.steps.load(); now != std::exchange(steps, now))
      moved_at = steady_clock::now();
    if (steady_clock::now() - moved_at > patience) return SIGALRM;
  }
}

/// Returns true where the child ends within 5 s.
bool await_end(const sigset_t& awaited) {
  constexpr std::chrono::seconds longest{5};
  constexpr timespec look_again{0, 200'000'000};
  const auto until = steady_clock::now() + longest;
  while (steady_clock::now() < until)
    if (::sigtimedwait(&awaited, nullptr, &look_again) == SIGCHLD) return true;
  return false;
}

}  // namespace

int read_in_child(const std::string& data, const std::function<int()>& work,
                  const std::function<void(pid_t)>& clean_up, std::chrono::milliseconds patience,
                  at_stop stopping) {
  auto& progress = shared_progress();
  sigset_t awaited;
  sigset_t before;
  sigemptyset(&awaited);
  for (const int s : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&awaited, s);
  pthread_sigmask(SIG_BLOCK, &awaited, &before);
  std::fflush(nullptr);
  const auto child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::signal(SIGINT, SIG_IGN);  // a terminal sends the signal to both processes
    watched_reading = &progress;
    return work();
  }
  int stopped_by = watch(progress, awaited, patience);
  if (stopping == at_stop::ask && (stopped_by == SIGINT || stopped_by == SIGTERM)) {
    ::kill(child, SIGTERM);
    stopped_by = await_end(awaited) ? 0 : stopped_by;
  }
  if (stopped_by != 0) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (stopped_by == 0 && WIFEXITED(status)) return WEXITSTATUS(status);
  if (clean_up) clean_up(child);
  if (stopped_by == SIGINT || stopped_by == SIGTERM) return 128 + stopped_by;
  // NOLINTBEGIN(concurrency-mt-unsafe): the process has a single thread
  std::cerr << "skanu: the data in " << data << " is damaged: " << table_being_read(progress)
            << (stopped_by == SIGALRM ? " does not come to an end"
                                      : " ended by signal " + std::to_string(WTERMSIG(status)) +
                                            " (" + ::strsignal(WTERMSIG(status)) + ")")
            << std::endl;
  // NOLINTEND(concurrency-mt-unsafe)
  return cannot;
}

}  // namespace skanu
