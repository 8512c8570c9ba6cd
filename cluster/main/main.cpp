// The program: runs a node, or reads stored data.
#include <csignal>
#include <cstring>
#include <iostream>
#include <system_error>

#include <spdlog/spdlog.h>

#include "cluster/node/node.hpp"
#include "cluster/program/commands.hpp"
#include "cluster/program/crash_report.hpp"
#include "cluster/program/logging.hpp"
#include "cluster/program/options.hpp"
#include "persistence/store.hpp"

namespace {

using namespace skanu;

constexpr int cannot = 2;

int serve(const program_options& options) {
  fault_plan faults;
  for (const auto& f : options.faults) {
    if (const auto problem = faults.add(f)) {
      std::cerr << "skanu: " << *problem << '\n';
      return cannot;
    }
  }
  // Blocked before any thread starts, so that only sigwait receives the signals.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const int log = start_logging(options.log_file, options.log_level, options.node.cluster.name);
  for (const auto& doubt : options.doubts)
    spdlog::warn("event=doubtful_variable reason=\"{}\"", doubt);
  report_crashes(options.node.data, options.node.cluster.name, log);
  {
    node running(options.node, faults);
    const bool v6 = options.node.address.find(':') != std::string::npos;
    std::cout << "skanu ready http://" << (v6 ? "[" : "") << options.node.address << (v6 ? "]" : "")
              << ':' << running.port() << std::endl;
    int signal = 0;
    sigwait(&stop_signals, &signal);
    running.stop();
  }
  stop_logging();
  return 0;
}

int run(const program_options& options) {
  if (options.command == program_command::serve) return serve(options);
  spdlog::set_level(spdlog::level::off);  // standard output holds only the result
  switch (options.command) {
    case program_command::serve: break;
    case program_command::audit: return run_audit(options);
    case program_command::events: return run_events(options);
    case program_command::backup: return run_backup(options);
    case program_command::rebuild: return run_rebuild(options);
    case program_command::admin: return run_admin(options);
  }
  return cannot;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_status;
  // a write beyond the limit of a file's size fails like a full disk
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(*parsed.options);
  } catch (const std::exception& problem) {
    stop_logging();
    std::cerr << "skanu: " << problem.what() << '\n';
    return cannot;
  }
}
